#!/usr/bin/env bash
# Have this machine serve again, since the other could not take over: nothing has changed then.
# Usage: lift.sh PAIR ID
#
# Called by peer.py for the other machine, which has given up transition ID for good.
# Refuses (77) unless this machine was production until that transition fenced it.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/pair/lib-address.sh
. "$here/lib-address.sh"
# shellcheck source=scripts/pair/lib-carried.sh
. "$here/lib-carried.sh"

require_fenced_by_this() {
  local fence
  fence=$(records)/fence
  [[ $(value_of "$fence" id)-$(value_of "$fence" was) == "$CHANGEOVER_ID-writer" ]] ||
    refuse "the fence of $SELF is not of $CHANGEOVER_ID, or it did not accept writes before"
  [[ ! -e $(records)/down ]] || refuse "$SELF is down ($(value_of "$(records)/down" why))"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 2)) || misuse "lift.sh takes PAIR ID, got: $*"
  local role link=''
  load_pair "$1"
  export CHANGEOVER_TRANSITION=switch CHANGEOVER_ID=$2
  exec 9>"$(records)/lock"
  flock -w 20 9 || timed_out "a step holds the lock of $SELF"
  require_claim
  require_own_cluster
  require_fenced_by_this
  [[ $SERVICE_ADDRESS == none ]] || link=$(service_interface)
  # From here on no step of that transition acts, here or there.
  give_up_transition "the fence of $SELF"
  start_server
  serving_soon
  [[ $role == writer || $(sql 'select pg_promote(true, 40)') == t ]] || timed_out "$SELF does not accept writes again yet"
  serving_from_now
  rm -f "$DATA/standby.signal"
  [[ -z $link ]] || take_address "$link"
  rm -f "$(records)/fence"
  [[ -z $link ]] || announce_address "$link"
  run_role production
  receipt "$SELF accepts writes again${link:+, holds $SERVICE_ADDRESS}"
}

{
  main "$@"
  exit
}
