#!/usr/bin/env bash
# Start this machine's server at boot, and take the service address if it is production.
# Usage: serve.sh PAIR standby|production
#
# Called by watch.py, which holds the lock and has decided. Refuses (77) a service
# address that another machine holds.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/pair/lib-address.sh
. "$here/lib-address.sh"
# shellcheck source=scripts/pair/lib-carried.sh
. "$here/lib-carried.sh"

require_free_address() {
  local verdict
  verdict=$(python3 "$here/arp.py" probe "$link" "$SERVICE_ADDRESS") || timed_out "nobody could ask whether $SERVICE_ADDRESS is free"
  [[ $verdict == free ]] || refuse "$SERVICE_ADDRESS is $verdict; nothing was started"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 2 && $2 =~ ^(standby|production)$ ]] || misuse "serve.sh takes PAIR standby|production, got: $*"
  local role link=''
  load_pair "$1"
  require_own_cluster
  if [[ $2 == production && $SERVICE_ADDRESS != none ]]; then
    link=$(service_interface)
    [[ -n $link ]] || timed_out "$SELF_ADDRESS is on no interface yet"
    holds_address || require_free_address
  fi
  start_server
  [[ $2 == "${role/writer/production}" ]] || refuse "$SELF came up as a $role, not as $2"
  if [[ -n $link ]]; then
    take_address "$link"
    announce_address "$link"
  fi
  run_role "$2"
  receipt "$SELF is up as $2"
}

{
  main "$@"
  exit
}
