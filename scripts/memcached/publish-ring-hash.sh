#!/usr/bin/env bash
# Publish the hash of this client's ring on every node of the ring, for the other clients to read.
# Usage: publish-ring-hash.sh COMPONENT CACHE [--without=HOST:PORT,…]    (without lost nodes)

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/memcached/lib.sh
. "$here/lib.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 2 || $# == 3)) || misuse "publish-ring-hash.sh takes COMPONENT CACHE [--without=HOST:PORT,…], got: $*"
  local wrong
  know_cache "$1" "$2"
  wrong=$(python3 -I "$here/ring-hashes.py" "$CACHE" publish "${@:3}" 2>&1) || timed_out "$HOSTNAME can't publish the hash of its ring of $CACHE: $wrong"
  receipt "$HOSTNAME has set the hash of its ring on every node${3:+ except ${3#*=}}"
}

{
  main "$@"
  exit
}
