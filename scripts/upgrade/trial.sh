#!/usr/bin/env bash
# Restore the backup of this transition on trial, into a database server of its own on the main host, and compare.
# Usage: trial.sh COMPONENT NAME
#
# Tables and rows must be as they were when the backup was made; refuses (77) on any difference. The server has its own
# folder, no network, and is removed in every case. The receipt's tail names the backup for stop.sh, or says database=none.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/upgrade/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/upgrade/lib-database.sh
. "$here/lib-database.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 2)) || misuse "trial.sh takes COMPONENT NAME, got: $*"
  local said
  load_upgrade "$1" "$2"
  require_main "a trial"
  require_claim
  if no_database_yet; then
    tail_add database none
    receipt "$HOSTNAME has no database of $PACKAGE yet, nothing to restore on trial"
    return
  fi
  said=$(upgrade_py trial "$CHANGEOVER_ID")
  receipt_of "$said"
}

{
  main "$@"
  exit
}
