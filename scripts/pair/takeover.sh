#!/usr/bin/env bash
# Make this machine the one that accepts writes and holds the service address.
# Usage: takeover.sh PAIR
#
# Asks the peer now: refuses (77) unless it is fenced by this same transition, and ends
# with 75 while anything that the peer acknowledged is missing here. Then promotes.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/pair/lib-address.sh
. "$here/lib-address.sh"

# The receipt of the fence, from the machine itself, now. Sets `position`.
require_fenced_peer() {
  local answer postgres recovering signal id
  answer=$(python3 "$here/ask.py" "$PAIR" postgres in_recovery standby_signal fence.id fence.position) ||
    timed_out "require fenced $PEER: it gave no answer; nothing was promoted"
  { read -r postgres && read -r recovering && read -r signal && read -r id && read -r position; } <<<"$answer"
  [[ $id == "$CHANGEOVER_ID" ]] ||
    refuse "require fenced $PEER: its fence is of ${id:-no transition}, not of $CHANGEOVER_ID; $(start_again)"
  [[ $postgres == stopped && $signal == true || $recovering == true ]] ||
    refuse "require fenced $PEER: its server is $postgres and may accept writes; $(start_again)"
}

wait_for_position() {
  log "waiting until $SELF has replayed all that $PEER wrote ($position)"
  sql "do \$\$ declare until timestamptz := clock_timestamp() + interval '15 s'; begin
    while pg_last_wal_replay_lsn() < '$position' and clock_timestamp() < until loop perform pg_sleep(0.005); end loop;
    end \$\$"
  [[ $(sql "select pg_last_wal_replay_lsn() >= '$position'") == t ]] ||
    timed_out "$SELF has $(sql 'select pg_last_wal_replay_lsn()'), $PEER wrote to $position; nothing was promoted"
}

promote() {
  wait_for_position
  [[ $SERVICE_ADDRESS == none ]] || wait "$probing" ||
    refuse "another machine answers for $SERVICE_ADDRESS; nothing was promoted"
  require_claim
  log "point of no return: promoting $SELF"
  sql "do \$\$ begin perform pg_promote(false);
    for i in 1..6000 loop exit when not pg_is_in_recovery(); perform pg_sleep(0.005); end loop; end \$\$"
  accepts_writes || timed_out "$SELF was told to promote, but does not accept writes yet"
}

keep_log_for_peer() {
  sql "select pg_create_physical_replication_slot('$PEER')
    where not exists (select from pg_replication_slots where slot_name = '$PEER')" >/dev/null
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 1)) || misuse "takeover.sh takes PAIR, got: $*"
  load_pair "$1"
  require_own_cluster
  local position probing did=promoted
  if [[ $SERVICE_ADDRESS != none ]] && ! holds_address; then
    python3 "$here/arp.py" probe "$(service_interface)" "$SERVICE_ADDRESS" &
    probing=$!
  else
    true &
    probing=$!
  fi
  require_fenced_peer
  start_server
  if accepts_writes; then did='accepts writes already' && rm -f "$DATA/standby.signal"; else promote; fi
  wait "$probing" || refuse "another machine answers for $SERVICE_ADDRESS; $SELF accepts writes, but does not take it"
  require_claim
  take_address
  keep_log_for_peer
  rm -f "$(records)/fence"
  receipt "$SELF $did$([[ $SERVICE_ADDRESS == none ]] || printf ', holds %s' "$SERVICE_ADDRESS")"
}

{
  main "$@"
  exit
}
