#!/usr/bin/env bash
# Stop serving on this machine, because its peer was made production later.
# Usage: step-down.sh PAIR WHY
#
# Releases the service address, stops the server so that it can only start read-only, and
# writes the status `down`. Keeps all data: the transition that takes this machine in again
# sets aside what only this machine has.

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

# An immediate stop, without a checkpoint: writes that arrive now are lost to the pair.
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
  # A service that does not stop must not prevent the record: without it the next boot takes this machine for a standby.
  (stop_production_services) || log "some services of production do not stop on $SELF"
  printf 'why=%s\nsince=%(%FT%T%z)T\n' "$2" -1 | write_file "$(records)/down"
  rm -f "$(records)/alone"
  write_file "/etc/$PAIR/$PAIR.status" <<<down
  receipt "$SELF is down: $2"
}

{
  main "$@"
  exit
}
