#!/usr/bin/env bash
# Write this machine's status file, once the status is true.
# Usage: write-status.sh PAIR STATUS
#
# STATUS is down, production, standby, production_alone, standby_as_production or
# production_as_standby. Refuses (77) a status that is not true.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$here/lib.sh"

require_true() {
  case $1 in
    production | production_alone | standby_as_production)
      [[ $role == writer ]] || refuse "$SELF rejects writes, so its status is not $1; $(start_again)"
      [[ $SERVICE_ADDRESS == none ]] || holds_address || refuse "$SELF does not hold $SERVICE_ADDRESS, so its status is not $1; $(start_again)"
      ;;
    standby | production_as_standby) [[ $role == standby ]] || refuse "$SELF is not a running standby, so its status is not $1; $(start_again)" ;;
    down) [[ $role != writer ]] || refuse "$SELF accepts writes, so its status is not down; $(start_again)" ;;
    *) misuse "status $1 is unknown; the six statuses are in --help" ;;
  esac
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 2)) || misuse "write-status.sh takes PAIR STATUS, got: $*"
  local role
  load_pair "$1"
  know_role
  require_true "$2"
  write_file "/etc/$PAIR/$PAIR.status" <<<"$2"
  receipt "the status of $SELF is $2"
}

{
  main "$@"
  exit
}
