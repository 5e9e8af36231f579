#!/usr/bin/env bash
# Have the entries that another ring gives to another node copied there, before clients get it.
# Usage: copy.sh COMPONENT CACHE SECONDS to HOST:PORT…      the ring of these nodes
#        copy.sh COMPONENT CACHE SECONDS without HOST:PORT  the ring of now without this one
#        copy.sh COMPONENT CACHE SECONDS back HOST:PORT     the ring that aside.sh took it from
#
# It is a cache: what can't be copied within SECONDS is left, and said. settle.sh goes on.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/memcached/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/memcached/lib-ring.sh
. "$here/lib-ring.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -ge 5 && $3 =~ ^[0-9]+$ && $4 =~ ^(to|without|back)$ ]] ||
    misuse "copy.sh takes COMPONENT CACHE SECONDS to|without|back HOST:PORT…, got: $*"
  local said='no entry moves'
  local -a places
  know_cache "$1" "$2"
  case $4 in
    to) places=("${@:5}") ;;
    without) mapfile -t places < <(ring_without "$5") ;;
    back) mapfile -t places < <(ring_before "$5") ;;
  esac
  mkdir -p "$(records)"
  ((${#places[@]} == 0)) ||
    said=$(umask 077 && python3 "$here/move.py" before "$CACHE" "$3" "$(records)/moved-$CHANGEOVER_ID" "${places[@]}")
  receipt "$said,"
}

{
  main "$@"
  exit
}
