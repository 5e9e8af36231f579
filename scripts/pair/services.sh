#!/usr/bin/env bash
# Run what this machine's role runs beside the database, and nothing else of it.
# Usage: services.sh PAIR production|standby
#
# Refuses (77) to run production's on a machine that accepts no writes.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/pair/lib-carried.sh
. "$here/lib-carried.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 2 && $2 =~ ^(production|standby)$ ]] || misuse "services.sh takes PAIR production|standby, got: $*"
  local role
  load_pair "$1"
  know_role
  if [[ $2 == production ]]; then
    [[ $role == writer ]] || refuse "$SELF accepts no writes, so it runs nothing of production's; $(start_again)"
  else
    [[ $role != writer ]] || refuse "$SELF accepts writes, so it is no standby; $(start_again)"
  fi
  run_role "$2"
  receipt "$SELF runs what $2 runs: $(services_on "$([[ $2 == production ]] || echo both)")"
}

{
  main "$@"
  exit
}
