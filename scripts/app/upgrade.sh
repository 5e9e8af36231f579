#!/usr/bin/env bash
# Upgrade the system packages of a drained server, and say whether the application is ready on them.
# Usage: upgrade.sh COMPONENT POOL SECONDS
#
# The application is started again, and asked at its private address for at most SECONDS. The receipt's
# tail says verdict=good, or verdict=bad and why; both end with 0. The receipt also names what still runs with files that are gone, and
# whether the machine wants to be started again, which nobody does for you.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/app/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/app/lib-release.sh
. "$here/lib-release.sh"
# shellcheck source=scripts/lib-packages.sh
. "$here/../lib-packages.sh"
# shellcheck source=scripts/app/lib-upgrade.sh
. "$here/lib-upgrade.sh"

# Units with a process that has a library in use which was replaced.
outdated() {
  local file
  while IFS= read -r file; do
    sed -n 's|.*/\([^/]*\.service\)$|\1|p' "${file%/maps}/cgroup" 2>/dev/null || true
  done < <(grep -lsE '\.so[^ ]* \(deleted\)$' /proc/[0-9]*/maps) | sort -u | paste -sd ' '
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 3)) || misuse "upgrade.sh takes COMPONENT POOL SECONDS, got: $*"
  local why='' old revision again=''
  local -a found
  load_pool "$1" "$2"
  require_seconds "$3"
  require_apt
  require_claim
  # What an upgrade that was killed has left half-way.
  dpkg --configure -a --force-confdef --force-confold >&2
  mapfile -t found < <(upgradable)
  log "upgrading ${#found[@]} package(s)"
  apt_keeping --with-new-pkgs upgrade >&2
  revision=$(current)
  if [[ -n $revision ]] && ! { start_anew && get_ready "$revision" "$3"; }; then
    tail_add verdict bad why "$why"
    receipt "$HOSTNAME bad: $why"
    return
  fi
  old=$(outdated)
  [[ ! -e /run/reboot-required ]] || again="; start it again when it is in maintenance: its kernel or C library waits for that"
  tail_add verdict good
  receipt "$HOSTNAME has upgraded ${#found[@]} package(s), good${old:+; still with old files: $old}$again"
}

{
  main "$@"
  exit
}
