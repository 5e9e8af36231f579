#!/usr/bin/env bash
# Pause streaming on this standby until its next copy.
# Usage: pause-standby.sh PAIR
#
# Afterwards production keeps no log for this standby. Refuses (77) on a machine that is
# not a running standby.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/pair/lib-snapshot.sh
. "$here/lib-snapshot.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 1)) || misuse "pause-standby.sh takes PAIR, got: $*"
  local role
  load_pair "$1"
  know_role
  [[ $role == standby ]] || refuse "$SELF is not a running standby; $(start_again)"
  if [[ ! -e $PAUSED ]]; then
    note_database "$EPOCHSECONDS"
    pause_streaming
  fi
  wait_until "$PEER keeps no log for $SELF" 60 has_no_slot_there
  receipt "$SELF does not stream until its next copy"
}

{
  main "$@"
  exit
}
