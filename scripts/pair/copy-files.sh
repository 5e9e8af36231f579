#!/usr/bin/env bash
# Copy directories and indexes from the peer, if the peer was production last.
# Usage: copy-files.sh PAIR near|last
#
# near: the peer still writes them. last: the peer is fenced, and a dry run must show no
# difference; when a copy fails, the fence of the peer is cancelled. Refuses (77) on a
# machine that accepts writes.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/pair/lib-carried.sh
. "$here/lib-carried.sh"
# shellcheck source=scripts/pair/lib-files.sh
. "$here/lib-files.sh"
# shellcheck source=scripts/pair/lib-cancel-fence.sh
. "$here/lib-cancel-fence.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 2 && $2 =~ ^(near|last)$ ]] || misuse "copy-files.sh takes PAIR near|last, got: $*"
  local role served='' newer=0 failed=0
  load_pair "$1"
  log_to_pair_too
  stop_copies
  peer_was_production_last || newer=$?
  case $newer in
    0) ;;
    1) receipt "$SELF was production last and has the latest files; nothing copied" && return ;;
    *) timed_out "$PEER does not answer" ;;
  esac
  know_role
  [[ $role != writer ]] || refuse "$SELF accepts writes, so its files are not overwritten; $(start_again)"
  require_claim
  copy_files "$2" || failed=1
  ((!failed)) || [[ $2 == near ]] || cancel_fence_of_peer "not all files were copied from $PEER"
  ((!failed)) || timed_out "not all files were copied from $PEER"
  receipt "$SELF has the directories and indexes of $PEER ($2)"
}

{
  main "$@"
  exit
}
