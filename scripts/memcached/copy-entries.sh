#!/usr/bin/env bash
# Copy entries to their nodes of the next ring, before the clients use that ring.
# Usage: copy-entries.sh COMPONENT CACHE SECONDS to HOST:PORT…      next ring: these nodes
#        copy-entries.sh COMPONENT CACHE SECONDS without HOST:PORT  next ring: the present one without this node
#        copy-entries.sh COMPONENT CACHE SECONDS back HOST:PORT     next ring: the one before remove-from-ring.sh
#
# Entries that are not copied within SECONDS stay at their old node, and the receipt says so: it is a cache.
# drain-old-node.sh continues from here.

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
    misuse "copy-entries.sh takes COMPONENT CACHE SECONDS to|without|back HOST:PORT…, got: $*"
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
    said=$(umask 077 && python3 -I "$here/move.py" before "$CACHE" "$3" "$(records)/moved-$CHANGEOVER_ID" "${places[@]}")
  receipt "$said,"
}

{
  main "$@"
  exit
}
