#!/usr/bin/env bash
# Remove a node from this client's ring for a while.
# Usage: remove-from-ring.sh COMPONENT CACHE HOST:PORT UNITS    (UNITS as for write-ring.sh)
#
# return-to-ring.sh restores the earlier ring. The only node of a ring stays in the ring.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/memcached/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/memcached/lib-ring.sh
. "$here/lib-ring.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 4)) || misuse "remove-from-ring.sh takes COMPONENT CACHE HOST:PORT UNITS, got: $*"
  local rest
  know_cache "$1" "$2"
  rest=$(ring_without "$3")
  if [[ -z $rest ]]; then
    receipt "$HOSTNAME keeps its ring: $3 is not in it, or is its only node"
    return
  fi
  printf '%s\n' "$3" "$(<"$CACHES/$CACHE.ring")" | write_file "$CACHES/$CACHE.aside"
  set_ring "$rest" "$(clients_of_ring)" "$4"
  receipt "$HOSTNAME uses the ring without $3"
}

{
  main "$@"
  exit
}
