#!/usr/bin/env bash
# Copy the directories and indexes of the machine that was production last.
# Usage: copy.sh PAIR near|last
#
# near: while they change. last: they change no more, and a dry run shall show no
# difference; when one does not come, the other serves again. Refuses (77) on a machine
# that accepts writes.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/pair/lib-carried.sh
. "$here/lib-carried.sh"
# shellcheck source=scripts/pair/lib-files.sh
. "$here/lib-files.sh"
# shellcheck source=scripts/pair/lib-lift.sh
. "$here/lib-lift.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 2 && $2 =~ ^(near|last)$ ]] || misuse "copy.sh takes PAIR near|last, got: $*"
  local role served='' newer=0 failed=0
  load_pair "$1"
  log_to_pair_too
  stop_copies
  peer_was_production_last || newer=$?
  case $newer in
    0) ;;
    1) receipt "$SELF was production last, so it has what there is; nothing copied" && return ;;
    *) timed_out "$PEER gave no answer" ;;
  esac
  know_role
  [[ $role != writer ]] || refuse "$SELF accepts writes, so what it has is not overwritten; $(start_again)"
  require_claim
  copy_files "$2" || failed=1
  ((!failed)) || [[ $2 == near ]] || lift_peer "not everything is copied from $PEER"
  ((!failed)) || timed_out "not everything is copied from $PEER"
  receipt "$SELF has the directories and indexes of $PEER ($2)"
}

{
  main "$@"
  exit
}
