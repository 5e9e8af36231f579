#!/usr/bin/env bash
# Have this standby stand still until its next copy.
# Usage: apart.sh PAIR
#
# It streams no more, and its peer keeps no log for it. Refuses (77) on a machine that
# accepts writes.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/pair/lib-snapshot.sh
. "$here/lib-snapshot.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 1)) || misuse "apart.sh takes PAIR, got: $*"
  local role
  load_pair "$1"
  know_role
  [[ $role == standby ]] || refuse "$SELF is no running standby; $(start_again)"
  if [[ ! -e $STILL ]]; then
    note_database "$EPOCHSECONDS"
    stand_still
  fi
  wait_until "$PEER keeps no log for $SELF" 60 has_no_slot_there
  receipt "$SELF stands still until its next copy"
}

{
  main "$@"
  exit
}
