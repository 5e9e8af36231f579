#!/usr/bin/env bash
# Have the same ring as the other clients: what they set on each node this one gets there.
# Usage: compare.sh COMPONENT CACHE CLIENT… [--without=HOST:PORT,…]    (nodes that are dead)
#
# Refuses (77) with each client and node that differs.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/memcached/lib.sh
. "$here/lib.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# >= 3)) || misuse "compare.sh takes COMPONENT CACHE CLIENT…, got: $*"
  local wrong
  know_cache "$1" "$2"
  wrong=$(python3 "$here/marks.py" "$CACHE" compare "${@:3}" 2>&1) ||
    refuse "the clients of $CACHE don't have one ring: ${wrong//$'\n'/; }; $(start_again)"
  receipt "$HOSTNAME has the same ring as the other clients, and gets what they set"
}

{
  main "$@"
  exit
}
