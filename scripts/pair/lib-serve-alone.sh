# Sourced by serve-alone.sh: proof that the peer is gone, and the promotion without it.
# shellcheck shell=bash

# This machine was not promoted: restore the earlier record of its last promotion.
not_serving() {
  if [[ -e $(records)/serving.before ]]; then mv "$(records)/serving.before" "$(records)/serving"; else rm -f "$(records)/serving"; fi
}

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

# Sets `did`.
promote_alone() {
  local last
  wait_until "$SELF has replayed all received log" 30 has_replayed_all
  last=$(sql "select coalesce('last transaction of ' || pg_last_xact_replay_timestamp()::timestamptz(0), 'no transaction since PostgreSQL started')")
  require_claim
  log "point of no return: promoting $SELF ($last)"
  [[ $(sql 'select pg_promote(true, 40)') == t ]] || timed_out "$SELF does not accept writes 40 s after its promotion began"
  did="promoted ($last)"
}

# Log that is kept for a lost peer would fill this disk. A sender whose receiver is dead holds the slot for another
# minute, so it is ended first.
has_no_slots() {
  [[ $(sql "select count(pg_terminate_backend(active_pid)) from pg_replication_slots where active_pid is not null;
    select count(pg_drop_replication_slot(slot_name)) from pg_replication_slots where not active;
    select count(*) from pg_replication_slots" | tail -n 1) == 0 ]]
}
drop_slots() { wait_until "$SELF keeps no log for $PEER" 20 has_no_slots; }
