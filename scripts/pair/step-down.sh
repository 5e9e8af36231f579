#!/usr/bin/env bash
# Have this machine serve nothing from now on: the other one was made production.
# Usage: step-down.sh PAIR WHY
#
# Gives up the address, stops the server as one that can only come back read-only, writes
# the status `down`. Touches no data: a transition that takes the machine in again sets
# aside what only it has.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/pair/lib-address.sh
. "$here/lib-address.sh"
# shellcheck source=scripts/pair/lib-fence.sh
. "$here/lib-fence.sh"
# shellcheck source=scripts/pair/lib-carried.sh
. "$here/lib-carried.sh"

# Users must not wait here, and what is written now is lost to the pair: no checkpoint, no farewell.
stop_now() {
  local pid
  pid=$(server_pid) || return 0
  kill -QUIT "$pid"
  becomes 5 has_ended "$pid" || systemctl kill --signal=KILL "$UNIT"
  wait_until "PostgreSQL on $SELF ends" 15 has_ended "$pid"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 2)) || misuse "step-down.sh takes PAIR WHY, got: $*"
  load_pair "$1"
  require_own_cluster
  as_standby
  refuse_clients
  give_up_address
  stop_now
  # Whatever becomes of the services: data that is not marked as down would be taken for a standby's at the next boot.
  (stop_production_services) || log "not all services of production stop on $SELF"
  printf 'why=%s\nsince=%(%FT%T%z)T\n' "$2" -1 | write_file "$(records)/down"
  rm -f "$(records)/alone"
  write_file "/etc/$PAIR/$PAIR.status" <<<down
  receipt "$SELF is down: $2"
}

{
  main "$@"
  exit
}
