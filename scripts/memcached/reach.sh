#!/usr/bin/env bash
# Have this client reach every node of the ring that is to be. Changes nothing.
# Usage: reach.sh COMPONENT CACHE HOST:PORT…

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/memcached/lib.sh
. "$here/lib.sh"

reaches() { wrong=$(python3 "$here/reach.py" "$@" 2>&1); }

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# >= 3)) || misuse "reach.sh takes COMPONENT CACHE HOST:PORT…, got: $*"
  local wrong=''
  know_cache "$1" "$2"
  (wait_until "$HOSTNAME reaches every node of $CACHE" 15 reaches "${@:3}") ||
    reaches "${@:3}" || timed_out "$HOSTNAME can't use every node of $CACHE: ${wrong//$'\n'/; }"
  receipt "$HOSTNAME reaches $(($# - 2)) node(s)"
}

{
  main "$@"
  exit
}
