# Sourced by the scripts that wait until this standby has replayed its log: what holds replay, and its end.
# shellcheck shell=bash

# Sets `kind` and `why` of a replay that stands still; both empty while it goes on.
look_at_replay() {
  local said
  kind='' why=''
  said=$(python3 "$SCRIPTS/pair/replay.py" "$PAIR") || return 0
  kind=${said%%$'\n'*} why=${said#*$'\n'}
}

# End what holds replay while users wait: a pause that a person asked for, or the oldest session that replay waits for. Ends
# with 1 when only a person can end it.
free_replay() {
  local kind why pid
  look_at_replay
  case $kind in
    paused)
      log "$SELF: replay is paused by hand; resuming it"
      sql 'select pg_wal_replay_resume()' >/dev/null || true
      ;;
    held)
      pid=${why#*pg_terminate_backend(} && pid=${pid%%)*}
      log "$SELF: $why; ending it"
      sql "select pg_terminate_backend($pid)" >/dev/null || true
      ;;
    short) log "$SELF: $why" && return 1 ;;
  esac
}
