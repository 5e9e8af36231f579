#!/usr/bin/env bash
# Wait until this host is healthy (supervisor, services, disk, database of the main host), then watch that it stays healthy.
# Usage: require-healthy.sh COMPONENT NAME SECONDS [WATCH-SECONDS]
#
# COMPONENT and NAME are both the name of the upgrade, as in: scalr scalr.
# No service may restart for WATCH-SECONDS; without it 10. Past SECONDS it ends with 75, and names each bad service and
# its state.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/upgrade/lib.sh
. "$here/lib.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 3 || $# == 4)) || misuse "require-healthy.sh takes COMPONENT NAME SECONDS [WATCH-SECONDS], got: $*"
  local seen watch=${4:-10}
  load_upgrade "$1" "$2"
  require_number "$3" seconds
  require_number "$watch" seconds
  seen=$(upgrade_py health "$3" "$watch")
  receipt "$HOSTNAME is healthy: $seen,"
}

{
  main "$@"
  exit
}
