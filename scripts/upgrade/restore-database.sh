#!/usr/bin/env bash
# Put a backup of VERSION back over the main database, if a newer version has migrated it.
# Usage: restore-database.sh COMPONENT NAME BACKUP-ID VERSION
#
# COMPONENT and NAME are both the name of the upgrade, as in: scalr scalr.
# With `none` as BACKUP-ID it refuses (77), and says which backup would be restored and what is lost. Keeps a copy of the
# current database first. Every service but the database must be stopped. An interrupted restore starts over; until one
# completes, reconfigure-host.sh refuses on this host.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/upgrade/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/upgrade/lib-database.sh
. "$here/lib-database.sh"

keep_copy() {
  local copy
  [[ -z $(value_of "$(database_record)" restoring) ]] || return 0
  log "keeping a copy of the current database"
  copy=$(upgrade_py backup "$CHANGEOVER_ID" copy)
  note "copy=$copy"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 4)) || misuse "restore-database.sh takes COMPONENT NAME BACKUP-ID VERSION, got: $*"
  local said plan loaded
  load_upgrade "$1" "$2"
  [[ $3 =~ ^([0-9]{8}T[0-9]{6}|none)$ ]] || misuse "\"$3\" is not a backup; allowed: an id such as 20260131T235959, or none"
  require_version "$4"
  require_main "restore the database"
  require_claim
  plan=$(upgrade_py restore "$4" plan "$3")
  if [[ $plan != load ]]; then
    receipt "$plan"
    return
  fi
  require_stopped_but_database
  have_database
  upgrade_py restore "$4" check "$3"
  keep_copy
  require_claim
  note "restoring=$3"
  loaded=$(upgrade_py restore "$4" load "$3")
  # Each backup is restored once: going back again later needs a later backup.
  note "version=$4" begun= restoring= found= "spent=$(value_of "$(database_record)" spent) $3"
  [[ -z $DATABASE_STOP ]] || run_line 120 database_stop "$DATABASE_STOP"
  receipt "$loaded; the database from before is kept as $(value_of "$(database_record)" copy)"
}

{
  main "$@"
  exit
}
