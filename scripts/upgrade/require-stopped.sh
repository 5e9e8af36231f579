#!/usr/bin/env bash
# Refuse unless all services of the package are stopped on this host, right before the main database is migrated.
# Usage: require-stopped.sh COMPONENT NAME
#
# COMPONENT and NAME are both the name of the upgrade, as in: scalr scalr.
# A host that rebooted after the stop has started its services. They would write while the schema changes, and no backup
# has their earlier writes.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/upgrade/lib.sh
. "$here/lib.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 2)) || misuse "require-stopped.sh takes COMPONENT NAME, got: $*"
  load_upgrade "$1" "$2"
  require_claim
  [[ -z $(upgrade_py packages found) ]] || require_stopped
  receipt "no service runs on $HOSTNAME"
}

{
  main "$@"
  exit
}
