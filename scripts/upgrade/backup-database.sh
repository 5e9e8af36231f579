#!/usr/bin/env bash
# Make a verified backup of the main database while services run.
# Usage: backup-database.sh COMPONENT NAME [MINUTES [KEPT]]
#
# COMPONENT and NAME are both the name of the upgrade, as in: scalr scalr.
# Does nothing if this transition has an intact backup that is not older than MINUTES. Removes surplus old backups, but
# never KEPT, the backup that the stack file wants to go back to. Writes pause for the moment in which the dump and its
# row count begin, so both see the same data.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/upgrade/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/upgrade/lib-database.sh
. "$here/lib-database.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# >= 2 && $# <= 4)) || misuse "backup-database.sh takes COMPONENT NAME [MINUTES [KEPT]], got: $*"
  local said backup
  load_upgrade "$1" "$2"
  [[ -z ${3:-} ]] || require_number "$3" minutes
  require_main "back up the database"
  require_claim
  if no_database_yet; then
    receipt "$HOSTNAME has no database of $PACKAGE yet, nothing to back up"
    return
  fi
  have_database
  log "backing up the main database"
  backup=$(upgrade_py backup "$CHANGEOVER_ID" make "${@:3}")
  receipt "$backup on $HOSTNAME"
}

{
  main "$@"
  exit
}
