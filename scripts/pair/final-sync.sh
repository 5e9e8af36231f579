#!/usr/bin/env bash
# Copy the latest data from a suspect production, before it is cut off.
# Usage: final-sync.sh PAIR required|attempt
#
# Runs nothing on the suspect machine; each request to it has a limit. Data that is not
# copied: `attempt` reports it and ends with 0, `required` ends with 75.

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

# peer_within_10s FUNCTION…: a suspect machine may freeze between two requests.
peer_within_10s() {
  timeout 10 bash -c "$(declare -f keep_slot slot_of peer_sql peer_says peer_server as_postgres log); \"\$@\"" - "$@"
}

# The database is streamed, also to a standby that was paused.
copy_database() {
  local there
  paused=''
  [[ ! -e $PAUSED ]] || paused=1
  there=$(peer_within_10s peer_says "$A_POSITION" 'select pg_current_wal_lsn()') || return 1
  resume_streaming
  peer_within_10s keep_slot || return 1
  becomes 60 has_all_of "$there" || return 1
  log "$SELF has the log of $PEER up to $there"
}

sync_files() {
  has_files || return 0
  timeout 120 bash "$here/copy-files.sh" "$PAIR" near >&2
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 2 && $2 =~ ^(required|attempt)$ ]] || misuse "final-sync.sh takes PAIR required|attempt, got: $*"
  local role missing='' paused='' copied
  load_pair "$1"
  export PEER PEER_ADDRESS PORT SELF PG_BIN PROVED
  know_role
  if [[ $role == writer ]]; then
    receipt "$SELF already accepts writes"
    return
  fi
  copy_database || missing=' database'
  sync_files || missing+=' files'
  [[ -z $missing || $2 == attempt ]] || {
    [[ -z $paused ]] || pause_streaming
    timed_out "not copied from $PEER:$missing; nothing has changed. To continue without it, set finalSync: attempt"
  }
  copied="$SELF copied from $PEER:${missing:+ all but}${missing:- everything}"
  log "$copied"
  receipt "$copied"
}

{
  main "$@"
  exit
}
