#!/usr/bin/env bash
# Have this client do without a node for a while: its ring without it.
# Usage: aside.sh COMPONENT CACHE HOST:PORT UNITS    (UNITS as for ring.sh)
#
# back.sh gives it the ring again that it had. The only node of a ring stays in it.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/memcached/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/memcached/lib-ring.sh
. "$here/lib-ring.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 4)) || misuse "aside.sh takes COMPONENT CACHE HOST:PORT UNITS, got: $*"
  local rest
  know_cache "$1" "$2"
  rest=$(ring_without "$3")
  if [[ -z $rest ]]; then
    receipt "$HOSTNAME does not use $3, or nothing else"
    return
  fi
  printf '%s\n' "$3" "$(<"$CACHES/$CACHE.ring")" | write_file "$CACHES/$CACHE.aside"
  give_ring "$rest" "$(clients_of_ring)" "$4"
  receipt "$HOSTNAME does without $3"
}

{
  main "$@"
  exit
}
