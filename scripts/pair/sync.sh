#!/usr/bin/env bash
# Copy production's files and snapshot to this machine, if it is the standby.
# Usage: sync.sh PAIR    (a timer's service; also by hand)
#
# Copies nothing on production, on a machine that is down, while a transition is open, and
# while another run copies. Ends with 75 when a copy fails; the earlier copy stays.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/pair/lib-carried.sh
. "$here/lib-carried.sh"
# shellcheck source=scripts/pair/lib-files.sh
. "$here/lib-files.sh"
# shellcheck source=scripts/pair/lib-snapshot.sh
. "$here/lib-snapshot.sh"

nothing() { receipt "$SELF copies nothing: $*;" && exit 0; }

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 1)) || misuse "sync.sh takes PAIR, got: $*"
  local role served='' why failed=0
  load_pair "$1"
  log_to_pair_too
  export CHANGEOVER_ID=none
  exec 8>"$(records)/sync.lock"
  flock -n 8 || nothing "another run copies"
  why=$(why_no_target)
  [[ -z $why ]] || nothing "$why"
  peer_was_production_last || nothing "$PEER does not answer that it is production"
  ! is_snapshot || bash "$here/snapshot.sh" "$PAIR" >&2 || failed=1
  know_role
  [[ $role == standby ]] || nothing "it is not a running standby"
  copy_files near || failed=1
  ((!failed)) || timed_out "not everything was copied from $PEER; the earlier copies stay"
  receipt "$SELF has copied everything from $PEER"
}

{
  main "$@"
  exit
}
