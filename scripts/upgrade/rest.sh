#!/usr/bin/env bash
# Refuse unless nothing of the package runs on this host, right before the main database is migrated.
# Usage: rest.sh COMPONENT NAME
#
# A host that was started again since the stop has started its services: they would write while the schema changes, and what they
# wrote before is in no backup.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/upgrade/lib.sh
. "$here/lib.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 2)) || misuse "rest.sh takes COMPONENT NAME, got: $*"
  load_upgrade "$1" "$2"
  require_claim
  [[ -z $(upgrade_py packages found) ]] || require_stopped
  receipt "nothing runs on $HOSTNAME"
}

{
  main "$@"
  exit
}
