# Sourced by serve-alone.sh: proof that the peer is gone, and the promotion without it.
# shellcheck shell=bash

require_gone() {
  local answers verdict receipt=''
  [[ -z $epoch || $(tail_of "$1" epoch) != "$epoch" ]] || receipt=$1
  log "asking $PEER over every path${receipt:+ ($receipt)}"
  # A machine that is proven to be cut off needs no second packet on each path.
  answers=$(python3 "$SCRIPTS/pair/peer_paths.py" "$PAIR" "${link:-none}" "$([[ -n $receipt ]] && echo 0.5 || echo 1.5)") ||
    timed_out "cannot check whether $PEER is gone; nothing was promoted"
  verdict=${answers%%$'\n'*}
  case $verdict in
    gone) return 0 ;;
    fenced) [[ -z $receipt ]] || return 0 ;;
  esac
  refuse "$PEER is not gone: ${answers//$'\n'/; }; nothing was promoted. If $PEER is healthy, remove it from changeover:unreachable"
}

has_replayed_all() {
  [[ $(sql 'select coalesce(pg_last_wal_replay_lsn() >= pg_last_wal_receive_lsn(), true)') == t ]]
}

# A replay that is late on purpose does not count: a promotion replays the rest at once.
replay_all() {
  local deadline=$(($(monotonic_ms) + 30000)) kind why
  until becomes 1 has_replayed_all; do
    look_at_replay
    [[ $kind != delayed ]] || { log "$SELF: $why; its promotion replays the rest" && return 0; }
    free_replay || { not_serving && refuse "$SELF can't become production: $why"; }
    (($(monotonic_ms) < deadline)) || timed_out "$SELF has replayed all received log: not so after 30 s"
  done
}

# Sets `did`.
promote_alone() {
  local last
  replay_all
  last=$(sql "select coalesce('last transaction of ' || pg_last_xact_replay_timestamp()::timestamptz(0), 'no transaction since PostgreSQL started')")
  require_claim
  log "point of no return: promoting $SELF ($last)"
  [[ $(sql 'select pg_promote(true, 40)') == t ]] || timed_out "$SELF does not accept writes 40 s after its promotion began"
  did="promoted ($last)"
}

# Log that is kept for a lost peer would fill this disk. A sender whose receiver is dead holds the slot for another
# minute, so it is ended first. Slots of others belong to them.
peer_has_no_slot() {
  local own
  own="slot_name = '$(slot_of "$PEER")' and slot_type = 'physical'"
  [[ $(sql "select count(pg_terminate_backend(active_pid)) from pg_replication_slots where $own and active_pid is not null;
    select count(pg_drop_replication_slot(slot_name)) from pg_replication_slots where $own and not active;
    select count(*) from pg_replication_slots where $own" | tail -n 1) == 0 ]]
}
drop_slot_of_peer() { wait_until "$SELF keeps no log for $PEER" 20 peer_has_no_slot; }
