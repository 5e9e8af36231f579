#!/usr/bin/env bash
# Back up the whole database of the main host, verified, while its services run.
# Usage: backup.sh COMPONENT NAME [MINUTES [KEPT]]
#
# Does nothing when this transition has one that is whole, and not older than MINUTES. Old ones that are too many are removed,
# but not KEPT, which somebody wants to go back to. Writes stand still for the moment in
# which the dump and the count of its rows begin: both see the same data.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/upgrade/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/upgrade/lib-database.sh
. "$here/lib-database.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# >= 2 && $# <= 4)) || misuse "backup.sh takes COMPONENT NAME [MINUTES [KEPT]], got: $*"
  local said made
  load_upgrade "$1" "$2"
  [[ -z ${3:-} ]] || require_number "$3" minutes
  require_main "a backup"
  require_claim
  if no_database_yet; then
    receipt "$HOSTNAME has no database of $PACKAGE yet, nothing to back up"
    return
  fi
  have_database
  log "backing up the database"
  made=$(upgrade_py backup "$CHANGEOVER_ID" make "${@:3}")
  receipt "$made on $HOSTNAME"
}

{
  main "$@"
  exit
}
