#!/usr/bin/env bash
# Close the application's port on this server to all but this machine and ALLOWED, or open it.
# Usage: set-maintenance.sh COMPONENT POOL on|off [SECONDS]
#
# `on` refuses new connections at once, so the edge shows its maintenance page. Requests in flight
# have SECONDS (default 5) to end; then all packets are rejected, and a longer answer breaks off.
# `on` lasts over a reboot. `off` opens the port to the balancers, and to whom `on` left it open.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/app/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/app/lib-firewall.sh
. "$here/lib-firewall.sh"

is_quiet() { [[ $(in_flight) == 0 ]] || (($(monotonic_ms) >= deadline)); }

close_port() {
  local file deadline unfinished
  file=$(closed_file)
  deadline=$(($(monotonic_ms) + $1 * 1000))
  log "closing port $PORT to new connections"
  rules "$ALLOWED" '' | write_file "$file"
  rules "$ALLOWED" 'tcp flags & (syn | ack) == syn' | nft -f -
  wait_until "requests in flight have ended" "$(($1 + 1))" is_quiet
  unfinished=$(in_flight)
  # An operator who calls this with sudo has no transition.
  [[ -z ${CHANGEOVER_ID:-} ]] || require_claim
  nft -f "$file"
  receipt "$HOSTNAME is in maintenance: port $PORT answers only this machine${ALLOWED:+ and $ALLOWED}; $unfinished requests were cut,"
}

open_port() {
  rm -f "$(closed_file)"
  if [[ -e $(access_file) ]]; then nft -f "$(access_file)"; else no_rules | nft -f -; fi
  receipt "$HOSTNAME is out of maintenance: port $PORT is open${BALANCERS:+ to its balancers}"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 3 || $# == 4)) || misuse "set-maintenance.sh takes COMPONENT POOL on|off [SECONDS], got: $*"
  load_pool "$1" "$2"
  require_seconds "${4:-5}"
  exec 7>"$(facts)/firewall.lock"
  flock -w 60 7 || timed_out "another call opens or closes port $PORT on $HOSTNAME (waited 60 s)"
  case $3 in
    on) close_port "${4:-5}" ;;
    off) open_port ;;
    *) misuse "\"$3\" is not allowed; allowed: on, off" ;;
  esac
}

{
  main "$@"
  exit
}
