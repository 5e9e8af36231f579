#!/usr/bin/env bash
# Start the services of this machine's role, and stop those of the other role.
# Usage: start-services.sh PAIR production|standby
#
# Refuses (77) to start production's services on a machine that rejects writes.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/pair/lib-carried.sh
. "$here/lib-carried.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 2 && $2 =~ ^(production|standby)$ ]] || misuse "start-services.sh takes PAIR production|standby, got: $*"
  local role
  load_pair "$1"
  know_role
  if [[ $2 == production ]]; then
    [[ $role == writer ]] || refuse "$SELF rejects writes, so services of production are not started; $(start_again)"
  else
    [[ $role != writer ]] || refuse "$SELF accepts writes, so services of production are not stopped; $(start_again)"
  fi
  run_role "$2"
  receipt "$SELF runs the services of $2: $(services_on "$([[ $2 == production ]] || echo both)")"
}

{
  main "$@"
  exit
}
