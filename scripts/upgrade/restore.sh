#!/usr/bin/env bash
# Put a backup back over the database of the main host, when a newer version than VERSION has changed it.
# Usage: restore.sh COMPONENT NAME BACKUP-ID VERSION
#
# With `none` for BACKUP-ID it refuses (77) and says which one it would be and what is lost. Keeps a copy of what is there before.
# Nothing else may run. A run that died begins anew: until it has ended, nothing reconfigures this host.

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
  log "keeping a copy of what is there"
  copy=$(upgrade_py backup "$CHANGEOVER_ID" copy)
  note "copy=$copy"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 4)) || misuse "restore.sh takes COMPONENT NAME BACKUP-ID VERSION, got: $*"
  local said plan loaded
  load_upgrade "$1" "$2"
  [[ $3 =~ ^([0-9]{8}T[0-9]{6}|none)$ ]] || misuse "$3 is no backup, as 20260131T235959 is, nor none"
  require_version "$4"
  require_main "a restore"
  require_claim
  plan=$(upgrade_py restore "$4" plan "$3")
  if [[ $plan != load ]]; then
    receipt "$plan"
    return
  fi
  require_stopped_but_database
  have_database
  keep_copy
  require_claim
  note "restoring=$3"
  loaded=$(upgrade_py restore "$4" load "$3")
  # It is put back once: who goes back again later means a later one.
  note "version=$4" begun= restoring= found= "spent=$(value_of "$(database_record)" spent) $3"
  [[ -z $DATABASE_STOP ]] || run_line 120 database_stop "$DATABASE_STOP"
  receipt "$loaded; what was there is kept as $(value_of "$(database_record)" copy)"
}

{
  main "$@"
  exit
}
