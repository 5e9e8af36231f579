#!/usr/bin/env bash
# Have this machine accept no write and give up the service address.
# Usage: fence.sh PAIR
#
# What is slow (the checkpoint) comes before; then the server stops as one that can only
# come back read-only, and does so after 2 s, to hand on what the other may still need.
# A fence is never lifted by time. The position in its record is what the other must have.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/pair/lib-address.sh
. "$here/lib-address.sh"

peer_is_near() {
  [[ $(sql "select count(*) from pg_stat_replication where application_name = '$PEER' and state = 'streaming'
    and pg_wal_lsn_diff(pg_current_wal_lsn(), flush_lsn) < 16 * 1024 * 1024") == 1 ]]
}

stop_at_once() {
  local pid=$1
  kill -INT "$pid" 2>/dev/null || true
  (wait_until "the server of $SELF stops" 15 not_alive "$pid") || {
    log "it does not stop in an orderly way; stopping it at once"
    kill -QUIT "$pid" 2>/dev/null || true
    wait_until "the server of $SELF stops at once" 30 not_alive "$pid"
  }
}

not_alive() { [[ ! -e /proc/$1/stat ]] || [[ $(<"/proc/$1/stat") == *') Z '* ]]; }

# Past the end of the shutdown checkpoint's start: a server that has replayed this far has replayed that record.
stopped_position() {
  "$PG_BIN/pg_controldata" "$DATA" | sed -n 's/^Latest checkpoint location: *//p' | {
    IFS=/ read -r high low
    printf '%s/%X\n' "$high" $((16#$low + 1))
  }
}

is_cleanly_stopped() { ! is_running && "$PG_BIN/pg_controldata" "$DATA" | grep -q '^Database cluster state: *shut down'; }

# What this machine has, as one that accepts no write. A server that crashed must first recover to know.
position() {
  if is_cleanly_stopped; then
    stopped_position
    return
  fi
  start_server
  sql "select greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())"
}

fence_writer() {
  local pid
  log "checkpoint on $SELF, while it goes on writing"
  sql 'checkpoint'
  wait_until "$PEER streams from $SELF and is near" 20 peer_is_near
  sql 'checkpoint'
  pid=$(server_pid)
  require_claim
  log "fencing $SELF"
  as_standby
  stop_at_once "$pid"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 1)) || misuse "fence.sh takes PAIR, got: $*"
  load_pair "$1"
  require_own_cluster
  if accepts_writes; then fence_writer; else
    log "$SELF accepts no write"
    [[ -e $DATA/standby.signal ]] || as_standby
  fi
  give_up_address
  local at
  at=$(position)
  printf 'id=%s\nepoch=%s\nposition=%s\nsince=%s\n' "$CHANGEOVER_ID" "$(value_of "$(records)/claim" epoch)" "$at" \
    "$(printf '%(%FT%T%z)T' -1)" | write_file "$(records)/fence"
  is_running || systemd-run --quiet --collect --on-active=2 --timer-property=AccuracySec=100ms systemctl start "$UNIT"
  receipt "$SELF fenced at $at"
}

{
  main "$@"
  exit
}
