#!/usr/bin/env bash
# Leave the hash of this client's ring on every node of it, for the other clients to get.
# Usage: mark.sh COMPONENT CACHE [--without=HOST:PORT,…]    (nodes that are dead)

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/memcached/lib.sh
. "$here/lib.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 2 || $# == 3)) || misuse "mark.sh takes COMPONENT CACHE [--without=HOST:PORT,…], got: $*"
  local wrong
  know_cache "$1" "$2"
  wrong=$(python3 "$here/marks.py" "$CACHE" leave "${@:3}" 2>&1) || timed_out "$HOSTNAME can't mark its ring of $CACHE: $wrong"
  receipt "$HOSTNAME has left the hash of its ring on every node${3:+ but ${3#*=}}"
}

{
  main "$@"
  exit
}
