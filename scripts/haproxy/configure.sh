#!/usr/bin/env bash
# Write the configuration of a pool, and reload a running HAProxy without losing a connection.
# Usage: configure.sh COMPONENT POOL TEMPLATE
#
# TEMPLATE is the whole text of haproxy.cfg; the records of this machine add the servers out of
# traffic and the site's maintenance. Refuses (77), before any change, a text that HAProxy rejects,
# and a text without a server that is still in traffic. New servers begin in maintenance. Starts
# nothing.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/haproxy/lib.sh
. "$here/lib.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 3)) || misuse "configure.sh takes COMPONENT POOL TEMPLATE, got: $# words"
  local outcome
  know_pool "$1" "$2"
  require_claim
  log "checking the configuration of $POOL"
  outcome=$(python3 "$here/configure.py" "$POOL" <<<"$3")
  receipt "HAProxy has the configuration of $POOL, $outcome"
}

{
  main "$@"
  exit
}
