#!/usr/bin/env bash
# Get the latest data of a production that is sick, before it is cut off.
# Usage: grab.sh PAIR required|attempt
#
# Runs nothing on the other machine; asks it, with limits. With `attempt` what it does not
# give is said, and 0; with `required` that ends with 75.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/pair/lib-carried.sh
. "$here/lib-carried.sh"
# shellcheck source=scripts/pair/lib-snapshot.sh
. "$here/lib-snapshot.sh"

has_all_of() { [[ $(sql "select coalesce(pg_last_wal_replay_lsn() >= '$1', false)") == t ]]; }

# peer_within_10s FUNCTION…: a machine that freezes between two questions must not hold this one up.
peer_within_10s() {
  timeout 10 bash -c "$(declare -f keep_slot slot_of peer_sql peer_server as_postgres); \"\$@\"" - "$@"
}

# The database comes by its own log, also to a standby that stood still.
get_database() {
  local there
  still=''
  [[ ! -e $STILL ]] || still=1
  there=$(peer_within_10s peer_sql 'select pg_current_wal_lsn()') || return 1
  stand_still_no_more
  peer_within_10s keep_slot || return 1
  becomes 60 has_all_of "$there" || return 1
  log "$SELF has all that $PEER wrote to $there"
}

get_files() {
  has_files || return 0
  timeout 120 bash "$here/copy.sh" "$PAIR" near >&2
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 2 && $2 =~ ^(required|attempt)$ ]] || misuse "grab.sh takes PAIR required|attempt, got: $*"
  local role missing='' still='' got
  load_pair "$1"
  export PEER_ADDRESS PORT SELF PG_BIN
  know_role
  if [[ $role == writer ]]; then
    receipt "$SELF accepts writes already"
    return
  fi
  get_database || missing=' database'
  get_files || missing+=' files'
  [[ -z $missing || $2 == attempt ]] || {
    [[ -z $still ]] || stand_still
    timed_out "not got from $PEER:$missing; nothing has changed. To go on without: finalSync: attempt"
  }
  got="$SELF got from $PEER:${missing:+ all but}${missing:- everything}"
  log "$got"
  receipt "$got"
}

{
  main "$@"
  exit
}
