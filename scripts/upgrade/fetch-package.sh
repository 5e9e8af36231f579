#!/usr/bin/env bash
# Download exactly one version of the package with its dependencies, while services run. Installs nothing.
# Usage: fetch-package.sh COMPONENT NAME VERSION [SECONDS]
#
# COMPONENT and NAME are both the name of the upgrade, as in: scalr scalr.
# Waits while another program reads package lists. Refuses (77) a version that no repository offers. SECONDS limits the download; without it 7200.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/upgrade/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/upgrade/lib-package.sh
. "$here/lib-package.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 3 || $# == 4)) || misuse "fetch-package.sh takes COMPONENT NAME VERSION [SECONDS], got: $*"
  local said rc=0 unread='' seconds=${4:-7200}
  load_upgrade "$1" "$2"
  require_version "$3"
  require_number "$seconds" seconds
  require_claim
  if [[ $(installed_version) == "$3" ]]; then
    receipt "$PACKAGE $3 is already installed on $HOSTNAME"
    return
  fi
  # The installation writes this file while services are stopped: a wrong place is found before.
  [[ -z $SKIP_FILE ]] || require_own_path "$SKIP_FILE"
  load_kind
  log "reading the package lists of the repositories"
  refresh || unread=$(last_said)
  [[ -z $unread ]] || log "some package lists are not read: $unread"
  if ! offers "$3"; then
    [[ -z $unread ]] || timed_out "$HOSTNAME can't read its package lists, and the old ones lack $PACKAGE $3: $unread"
    refuse "no repository of $HOSTNAME offers $PACKAGE $3 (allowed: $(offered | paste -sd ' ')); publish $3 in a repository, or set another version"
  fi
  log "downloading $PACKAGE $3"
  "${kind}_fetch" "$3" "$seconds" || rc=$?
  ((rc == 0)) || timed_out "$PACKAGE $3 is not downloaded on $HOSTNAME (exit code $rc, allowed: 0): $(last_said)"
  receipt "$PACKAGE $3 is downloaded on $HOSTNAME"
}

{
  main "$@"
  exit
}
