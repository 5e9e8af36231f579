#!/usr/bin/env bash
# Start this machine's server at boot; production also takes the service address.
# Usage: serve.sh PAIR standby|production
#
# watch.py calls it, after its decision and with the lock. Refuses (77) when another
# machine holds the service address.

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
  verdict=$(python3 "$here/arp.py" probe "$link" "$SERVICE_ADDRESS") || timed_out "cannot check whether $SERVICE_ADDRESS is free; nothing was started"
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
    [[ -n $link ]] || timed_out "no interface of $SELF has $SELF_ADDRESS yet"
    holds_address || require_free_address
  fi
  start_server
  [[ $2 == "${role/writer/production}" ]] || refuse "PostgreSQL on $SELF started as $role, not as $2"
  if [[ -n $link ]]; then
    take_address "$link"
    announce_address "$link"
  fi
  run_role "$2"
  receipt "$SELF runs as $2"
}

{
  main "$@"
  exit
}
