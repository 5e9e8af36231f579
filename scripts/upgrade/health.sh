#!/usr/bin/env bash
# Wait until this host is healthy: supervisor, services, disk, on the main host the database; and look whether it stays so.
# Usage: health.sh COMPONENT NAME SECONDS [WATCH-SECONDS]
#
# No service may start again for WATCH-SECONDS, 10 when they are not told. Ends with 75 and which service is in which state.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/upgrade/lib.sh
. "$here/lib.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 3 || $# == 4)) || misuse "health.sh takes COMPONENT NAME SECONDS [WATCH-SECONDS], got: $*"
  local seen
  load_upgrade "$1" "$2"
  require_number "$3" seconds
  require_number "${4:-10}" seconds
  seen=$(upgrade_py health "$3" "${4:-10}")
  receipt "$HOSTNAME is healthy: $seen,"
}

{
  main "$@"
  exit
}
