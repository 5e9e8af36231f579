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
# shellcheck source=scripts/pair/lib-follow.sh
. "$here/lib-follow.sh"

drop_own_slots() {
  sql "select pg_drop_replication_slot(slot_name) from pg_replication_slots where not active and slot_type = 'physical'" >/dev/null
}

peer_sees_us() {
  python3 "$here/ask.py" "$PAIR" standbys 2>/dev/null |
    python3 -c 'import ast, sys; standbys = ast.literal_eval(sys.stdin.read() or "[]"); sys.exit(0 if any(s["name"] == sys.argv[1] and s["state"] == "streaming" for s in standbys) else 1)' "$SELF"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 1)) || misuse "follow.sh takes PAIR, got: $*"
  load_pair "$1"
  require_own_cluster
  ! accepts_writes || refuse "$SELF accepts writes; it must be fenced first; $(start_again)"
  follow_peer
  wait_until "$PEER says that $SELF streams from it" 60 peer_sees_us
  drop_own_slots
  receipt "$SELF streams from $PEER"
}

{
  main "$@"
  exit
}
