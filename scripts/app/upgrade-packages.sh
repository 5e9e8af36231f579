#!/usr/bin/env bash
# Upgrade the system packages of a drained server, and report whether the application is ready.
# Usage: upgrade-packages.sh COMPONENT POOL SECONDS
#
# Restarts the application, and asks it at its private address for at most SECONDS. The receipt's
# tail is verdict=good, or verdict=bad with why=…; both end with 0. The receipt names units that still
# use replaced files, and says whether the machine needs a reboot. The operator reboots the machine.

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

# Units with a process that still uses a replaced library.
outdated() {
  local file
  while IFS= read -r file; do
    sed -n 's|.*/\([^/]*\.service\)$|\1|p' "${file%/maps}/cgroup" 2>/dev/null || true
  done < <(grep -lsE '\.so[^ ]* \(deleted\)$' /proc/[0-9]*/maps) | sort -u | paste -sd ' '
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 3)) || misuse "upgrade-packages.sh takes COMPONENT POOL SECONDS, got: $*"
  local why='' old revision reboot=''
  local -a names
  load_pool "$1" "$2"
  require_seconds "$3"
  require_apt
  require_claim
  # Finish an upgrade that was killed half-way.
  unlocked dpkg --configure -a --force-confdef --force-confold
  mapfile -t names < <(upgradable)
  log "upgrading ${#names[@]} package(s)"
  apt_keeping --with-new-pkgs upgrade
  revision=$(current)
  if [[ -n $revision ]] && ! { start_anew && get_ready "$revision" "$3"; }; then
    tail_add verdict bad why "$why"
    receipt "$HOSTNAME bad: $why"
    return
  fi
  old=$(outdated)
  [[ ! -e /run/reboot-required ]] || reboot="; $HOSTNAME needs a reboot for its kernel or C library: set the server to maintenance first"
  tail_add verdict good
  receipt "$HOSTNAME has upgraded ${#names[@]} package(s), good${old:+; units with replaced files: $old}$reboot"
}

{
  main "$@"
  exit
}
