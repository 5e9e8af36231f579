#!/usr/bin/env bash
# This app server's own maintenance: its port closed to all but this machine and ALLOWED, or open.
# Usage: firewall.sh COMPONENT POOL on|off [SECONDS]
#
# on: new connections are refused at once, so that the edge shows its maintenance page;
# requests in flight have SECONDS (5 when left out), then no packet is taken any more and a longer
# answer may break off. Lasts over a reboot. off: takes away what `on` made, and no other rule.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/app/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/app/lib-firewall.sh
. "$here/lib-firewall.sh"

is_quiet() { [[ $(in_flight) == 0 ]] || (($(monotonic_ms) >= deadline)); }

close_port() {
  local file deadline left
  file=$(facts)/firewall.nft
  deadline=$(($(monotonic_ms) + $1 * 1000))
  log "closing port $PORT to new connections"
  rules '' | write_file "$file"
  rules 'tcp flags & (syn | ack) == syn' | nft -f -
  wait_until "requests in flight are finished" "$(($1 + 1))" is_quiet
  left=$(in_flight)
  # By hand, with sudo, there is no transition.
  [[ -z ${CHANGEOVER_ID:-} ]] || require_claim
  nft -f "$file"
  receipt "$HOSTNAME is in maintenance: port $PORT answers only this machine${ALLOWED:+ and $ALLOWED}; $left requests were not finished,"
}

open_port() {
  rm -f "$(facts)/firewall.nft"
  no_rules | nft -f -
  receipt "$HOSTNAME is out of maintenance: port $PORT is open"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 3 || $# == 4)) || misuse "firewall.sh takes COMPONENT POOL on|off [SECONDS], got: $*"
  load_pool "$1" "$2"
  local table="inet changeover_${POOL//-/_}"
  require_seconds "${4:-5}"
  exec 7>"$(facts)/firewall.lock"
  flock -w 60 7 || timed_out "another one opens or closes the port"
  case $3 in
    on) close_port "${4:-5}" ;;
    off) open_port ;;
    *) misuse "$3 is none of on, off" ;;
  esac
}

{
  main "$@"
  exit
}
