#!/usr/bin/env bash
# Have this machine stream from its peer.
# Usage: follow.sh PAIR
#
# Refuses (77) when it accepts writes. When it went another way than its peer, what only
# it has is set aside, and it is rewound.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/pair/lib-carried.sh
. "$here/lib-carried.sh"
# shellcheck source=scripts/pair/lib-copy.sh
. "$here/lib-copy.sh"
# shellcheck source=scripts/pair/lib-follow.sh
. "$here/lib-follow.sh"

# What this machine kept for the other while it was the writer would fill its disk now.
drop_slot_of_peer() {
  sql "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '$(slot_of "$PEER")' and not active" >/dev/null
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 1)) || misuse "follow.sh takes PAIR, got: $*"
  local role
  load_pair "$1"
  require_own_cluster
  know_role
  [[ $role != writer ]] || refuse "$SELF accepts writes; it must be fenced first; $(start_again)"
  case $(peer_sql 'select pg_is_in_recovery()') in
    f) ;;
    t) refuse "$PEER accepts no writes, so there is nothing to follow; $(start_again)" ;;
    *) timed_out "PostgreSQL on $PEER gives no answer" ;;
  esac
  stop_copies
  follow_peer
  wait_until "$PEER says that it sends to $SELF" 60 peer_sends "'streaming', 'catchup'"
  wait_until "$SELF has caught up with $PEER" 3000 peer_sends "'streaming'"
  drop_slot_of_peer
  receipt "$SELF streams from $PEER"
}

{
  main "$@"
  exit
}
