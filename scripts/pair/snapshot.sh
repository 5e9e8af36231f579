#!/usr/bin/env bash
# Replace this standby's database with a verified copy of production's.
# Usage: snapshot.sh PAIR    (sync.sh calls it)
#
# The copy is made beside and exchanged for the old one when every byte of it is proved.
# Refuses (77) while a transition is open, and on a machine that holds the address, is not
# in recovery, or is newer than the copy.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/pair/lib-carried.sh
. "$here/lib-carried.sh"
# shellcheck source=scripts/pair/lib-copy.sh
. "$here/lib-copy.sh"
# shellcheck source=scripts/pair/lib-files.sh
. "$here/lib-files.sh"
# shellcheck source=scripts/pair/lib-snapshot.sh
. "$here/lib-snapshot.sh"

# Asked again just before, with the lock.
require_target() {
  local why newer role
  why=$(why_no_target)
  [[ -z $why ]] || refuse "$why; nothing is replaced"
  [[ $SERVICE_ADDRESS == none ]] || ! holds_address || refuse "$SELF holds $SERVICE_ADDRESS; its database is not replaced"
  is_running || start_server
  know_role
  [[ $role == standby ]] || refuse "$SELF is not in recovery; its database is not replaced"
  newer=$(sql "select coalesce(pg_last_wal_replay_lsn() > '$1', false)")
  [[ $newer == f ]] || refuse "the database of $SELF is newer than the copy (of $1); it is not replaced"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 1)) || misuse "snapshot.sh takes PAIR, got: $*"
  local draft at=$EPOCHSECONDS start
  load_pair "$1"
  draft=$DATA.copying
  require_own_cluster
  require_target FFFFFFFF/FFFFFFFF
  copy_from_peer "$draft"
  log "verifying the copy"
  as_postgres "$PG_BIN/pg_verifybackup" --quiet --ignore=standby.signal "$draft" >&2 ||
    timed_out "the copy is not whole; the old database stays"
  start=$(sed -n 's/^START WAL LOCATION: \([0-9A-F/]*\).*/\1/p' "$draft/backup_label")
  exec 9>"$(records)/lock"
  flock -w 10 9 || timed_out "a step holds the lock; the old database stays"
  require_target "$start"
  stand_still
  stop_server
  change_places "$draft" "$DATA"
  start_server
  note_database "$at"
  rm -rf "$draft"
  receipt "$SELF has the database of $PEER at $start"
}

{
  main "$@"
  exit
}
