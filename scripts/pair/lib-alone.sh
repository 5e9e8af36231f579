# Sourced by alone.sh: how this machine knows that the other is gone, and what it does then.
# shellcheck shell=bash

# What was on record before is put back when nothing came of it.
not_serving() {
  if [[ -e $(records)/serving.before ]]; then mv "$(records)/serving.before" "$(records)/serving"; else rm -f "$(records)/serving"; fi
}

require_gone() {
  local answers verdict receipt=''
  [[ -z $epoch || $(tail_of "$1" epoch) != "$epoch" ]] || receipt=$1
  log "asking for $PEER over every path${receipt:+ ($receipt)}"
  # Where it is known to be cut off, a packet that is lost is no doubt.
  answers=$(python3 "$SCRIPTS/pair/paths.py" "$PAIR" "${link:-none}" "$([[ -n $receipt ]] && echo 0.5 || echo 1.5)") ||
    timed_out "nobody could ask for $PEER"
  verdict=${answers%%$'\n'*}
  case $verdict in
    gone) return 0 ;;
    fenced) [[ -z $receipt ]] || return 0 ;;
  esac
  refuse "$PEER is not gone: ${answers//$'\n'/; }; nothing was promoted. When it answers, take it off changeover:unreachable"
}

has_replayed_all() {
  [[ $(sql 'select coalesce(pg_last_wal_replay_lsn() >= pg_last_wal_receive_lsn(), true)') == t ]]
}

# Sets `did`.
promote_alone() {
  local last
  wait_until "$SELF has replayed all that it received" 30 has_replayed_all
  last=$(sql "select coalesce('last transaction of ' || pg_last_xact_replay_timestamp()::timestamptz(0), 'no transaction since its start')")
  require_claim
  log "point of no return: promoting $SELF ($last)"
  [[ $(sql 'select pg_promote(true, 40)') == t ]] || timed_out "$SELF was told to promote, but does not accept writes yet"
  did="promoted ($last)"
}

# What is kept for a machine that may never come back would fill this one's disk. A sender that waits for a dead
# receiver still uses the slot for a minute.
has_no_slots() {
  [[ $(sql "select count(pg_terminate_backend(active_pid)) from pg_replication_slots where active_pid is not null;
    select count(pg_drop_replication_slot(slot_name)) from pg_replication_slots where not active;
    select count(*) from pg_replication_slots" | tail -n 1) == 0 ]]
}
drop_slots() { wait_until "$SELF keeps no log for $PEER" 20 has_no_slots; }
