#!/usr/bin/env bash
# Make this machine stream from its peer.
# Usage: follow.sh PAIR
#
# Refuses (77) on a machine that accepts writes. Data that diverged from the peer's is set
# aside, and the cluster is rewound. Data that can't follow in any way is set aside whole,
# and replaced by a copy of the peer's.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/pair/lib-carried.sh
. "$here/lib-carried.sh"
# shellcheck source=scripts/pair/lib-cluster-copy.sh
. "$here/lib-cluster-copy.sh"
# shellcheck source=scripts/pair/lib-follow.sh
. "$here/lib-follow.sh"

# The slot of the peer, from the time when this machine accepted writes, would fill the disk.
drop_slot_of_peer() {
  sql "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '$(slot_of "$PEER")' and not active" >/dev/null
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 1)) || misuse "follow.sh takes PAIR, got: $*"
  local role
  load_pair "$1"
  require_own_or_unusable
  know_role
  [[ $role != writer ]] || refuse "$SELF accepts writes and must be fenced first; $(start_again)"
  require_writing_peer
  stop_copies
  follow_peer
  wait_until "$PEER sends log to $SELF" 60 peer_sends "'streaming', 'catchup'"
  wait_until "$SELF has caught up with $PEER" 3000 peer_sends "'streaming'"
  drop_slot_of_peer
  receipt "$SELF streams from $PEER"
}

{
  main "$@"
  exit
}
