#!/usr/bin/env bash
# Restore this transition's backup into a scratch server on the main host, and compare tables and row counts.
# Usage: try-restore.sh COMPONENT NAME
#
# COMPONENT and NAME are both the name of the upgrade, as in: scalr scalr.
# Refuses (77) any difference from the moment of the backup. The scratch server has its own folder and no network, and is
# always removed. The receipt's tail names the backup for stop-services.sh, or says database=none.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/upgrade/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/upgrade/lib-database.sh
. "$here/lib-database.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 2)) || misuse "try-restore.sh takes COMPONENT NAME, got: $*"
  local said
  load_upgrade "$1" "$2"
  require_main "try a restore"
  require_claim
  if no_database_yet; then
    tail_add database none
    receipt "$HOSTNAME has no database of $PACKAGE yet, no backup to try"
    return
  fi
  said=$(upgrade_py try-restore "$CHANGEOVER_ID")
  receipt_of "$said"
}

{
  main "$@"
  exit
}
