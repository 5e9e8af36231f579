#!/usr/bin/env bash
# Put the configuration of a pool in place, and reload a HAProxy that runs without losing a connection.
# Usage: configure.sh COMPONENT POOL TEMPLATE
#
# TEMPLATE is the whole text of haproxy.cfg; who is in traffic and whether the site is in
# maintenance is put into it from the records here. Refuses (77), before anything is changed,
# a text that HAProxy does not take, and to drop a server that is not out of traffic. New servers
# come in maintenance. Starts nothing.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/haproxy/lib.sh
. "$here/lib.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 3)) || misuse "configure.sh takes COMPONENT POOL TEMPLATE, got $# words"
  local did
  know_pool "$1" "$2"
  require_claim
  log "checking the configuration of $POOL"
  did=$(python3 "$here/configure.py" "$POOL" <<<"$3")
  receipt "HAProxy has the configuration of $POOL, $did"
}

{
  main "$@"
  exit
}
