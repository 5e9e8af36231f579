#!/usr/bin/env bash
# Require that this client has the same ring as the other clients, by the hashes that they published.
# Usage: require-same-ring.sh COMPONENT CACHE CLIENT… [--without=HOST:PORT,…]    (without lost nodes)
#
# Refuses (77) other hashes and missing ones, and lists the client and node of each.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/memcached/lib.sh
. "$here/lib.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# >= 3)) || misuse "require-same-ring.sh takes COMPONENT CACHE CLIENT…, got: $*"
  local wrong
  know_cache "$1" "$2"
  wrong=$(python3 -I "$here/ring-hashes.py" "$CACHE" compare "${@:3}" 2>&1) ||
    refuse "the clients of $CACHE have different rings: ${wrong//$'\n'/; }; $(start_again)"
  receipt "$HOSTNAME has the same ring as the other clients, and reads their hashes on every node"
}

{
  main "$@"
  exit
}
