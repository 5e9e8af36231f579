#!/usr/bin/env bash
# Require that this client reaches every node of the next ring. Changes nothing.
# Usage: require-reachable.sh COMPONENT CACHE HOST:PORT…

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/memcached/lib.sh
. "$here/lib.sh"

reaches() { wrong=$(python3 -I "$here/reach.py" "$@" 2>&1); }

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# >= 3)) || misuse "require-reachable.sh takes COMPONENT CACHE HOST:PORT…, got: $*"
  local wrong=''
  know_cache "$1" "$2"
  (wait_until "$HOSTNAME reaches every node of $CACHE" 15 reaches "${@:3}") ||
    reaches "${@:3}" || timed_out "$HOSTNAME does not reach every node of $CACHE: ${wrong//$'\n'/; }"
  receipt "$HOSTNAME reaches all $(($# - 2)) node(s) of $CACHE"
}

{
  main "$@"
  exit
}
