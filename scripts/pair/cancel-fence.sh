#!/usr/bin/env bash
# Cancel the fence of this machine, because its peer could not take over. It serves again.
# Usage: cancel-fence.sh PAIR ID
#
# peer.py calls it when the peer asks; the peer has already given up transition ID.
# Refuses (77) unless this machine was production until transition ID fenced it.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/pair/lib-address.sh
. "$here/lib-address.sh"
# shellcheck source=scripts/pair/lib-carried.sh
. "$here/lib-carried.sh"
# shellcheck source=scripts/pair/lib-cancel-fence.sh
. "$here/lib-cancel-fence.sh"

require_fenced_by_this() {
  local fence
  fence=$(records)/fence
  [[ $(value_of "$fence" id)-$(value_of "$fence" was) == "$CHANGEOVER_ID-writer" ]] ||
    refuse "$SELF was not fenced by $CHANGEOVER_ID, or did not accept writes before its fence"
  ! is_down || refuse "$SELF is down ($(value_of "$(records)/down" why))"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 2)) || misuse "cancel-fence.sh takes PAIR ID, got: $*"
  local role link=''
  load_pair "$1"
  export CHANGEOVER_TRANSITION=switch CHANGEOVER_ID=$2
  exec 9>"$(records)/lock"
  flock -w 20 9 || timed_out "a step still holds the lock on $SELF after 20 s"
  require_claim
  require_own_cluster
  require_fenced_by_this
  # From here on no step of that transition acts on either machine.
  give_up_transition "the fence of $SELF"
  serve_again
  receipt "$SELF accepts writes again${link:+, holds $SERVICE_ADDRESS}"
}

{
  main "$@"
  exit
}
