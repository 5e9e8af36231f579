#!/usr/bin/env bash
# Replace this standby's database with a verified copy of production's.
# Usage: snapshot.sh PAIR    (sync.sh calls it)
#
# Every byte of the copy is verified before it replaces the old database. Refuses (77) while
# a transition is open, on a machine that holds the service address or accepts writes, and
# when the old database is newer than the copy.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/pair/lib-carried.sh
. "$here/lib-carried.sh"
# shellcheck source=scripts/pair/lib-cluster-copy.sh
. "$here/lib-cluster-copy.sh"
# shellcheck source=scripts/pair/lib-files.sh
. "$here/lib-files.sh"
# shellcheck source=scripts/pair/lib-snapshot.sh
. "$here/lib-snapshot.sh"

# Runs before the copy, and again with the lock just before the exchange.
require_target() {
  local why newer role
  why=$(why_no_target)
  [[ -z $why ]] || refuse "$SELF keeps its database: $why"
  [[ $SERVICE_ADDRESS == none ]] || ! holds_address || refuse "$SELF keeps its database: it holds $SERVICE_ADDRESS"
  is_running || start_server
  know_role
  [[ $role == standby ]] || refuse "$SELF keeps its database: it is not a running standby"
  newer=$(sql "select coalesce(pg_last_wal_replay_lsn() > '$1', false)")
  [[ $newer == f ]] || refuse "$SELF keeps its database: it is newer than the copy (of $1)"
}

# What the copy replaced has nothing that the copy has not: `require_target` has measured it.
remove_older() {
  local oid path
  as_postgres rm -rf "$1"
  while read -r oid path; do [[ -z $oid ]] || as_postgres rm -rf "$path/changeover.aside-snapshot"; done <<<"$places"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 1)) || misuse "snapshot.sh takes PAIR, got: $*"
  local draft at=$EPOCHSECONDS start places='' old=$DATA.aside-snapshot
  load_pair "$1"
  draft=$DATA.copying
  require_own_cluster
  require_target FFFFFFFF/FFFFFFFF
  as_postgres rm -rf "$old"
  copy_from_peer "$draft"
  log "verifying the copy"
  as_postgres "$PG_BIN/pg_verifybackup" --quiet --ignore=standby.signal "$draft" >&2 ||
    timed_out "the copy is damaged; $SELF keeps its old database"
  start=$(sed -n 's/^START WAL LOCATION: \([0-9A-F/]*\).*/\1/p' "$draft/backup_label")
  exec 9>"$(records)/lock"
  flock -w 10 9 || timed_out "a step still holds the lock on $SELF after 10 s; $SELF keeps its old database"
  require_target "$start"
  pause_streaming
  stop_server
  put_in_place "$draft" "$old"
  rm -f "$(records)/rewinding"
  start_server
  note_database "$at"
  remove_older "$old"
  receipt "$SELF has a copy of the database of $PEER at $start"
}

{
  main "$@"
  exit
}
