#!/usr/bin/env bash
# Write the status file of this machine: the last act of a switch.
# Usage: status.sh PAIR STATUS
#
# STATUS is down, production, standby, production_alone, standby_as_production or
# production_as_standby. Refuses (77) one that is not so.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$here/lib.sh"

require_so() {
  case $1 in
    production | production_alone | standby_as_production)
      [[ $role == writer ]] || refuse "$SELF does not accept writes, so it is not $1; $(start_again)"
      [[ $SERVICE_ADDRESS == none ]] || holds_address || refuse "$SELF does not hold $SERVICE_ADDRESS, so it is not $1; $(start_again)"
      ;;
    standby | production_as_standby) [[ $role == standby ]] || refuse "$SELF is no running standby, so it is not $1; $(start_again)" ;;
    down) [[ $role != writer ]] || refuse "$SELF accepts writes, so it is not down; $(start_again)" ;;
    *) misuse "status $1 is none of the six (see --help)" ;;
  esac
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 2)) || misuse "status.sh takes PAIR STATUS, got: $*"
  local role
  load_pair "$1"
  know_role
  require_so "$2"
  write_file "/etc/$PAIR/$PAIR.status" <<<"$2"
  receipt "$SELF is $2"
}

{
  main "$@"
  exit
}
