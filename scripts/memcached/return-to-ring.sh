#!/usr/bin/env bash
# Return a node to this client's ring that remove-from-ring.sh removed.
# Usage: return-to-ring.sh COMPONENT CACHE HOST:PORT UNITS    (UNITS as for write-ring.sh)

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/memcached/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/memcached/lib-ring.sh
. "$here/lib-ring.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 4)) || misuse "return-to-ring.sh takes COMPONENT CACHE HOST:PORT UNITS, got: $*"
  local before
  know_cache "$1" "$2"
  before=$(ring_before "$3")
  if [[ -z $before ]]; then
    receipt "$HOSTNAME has not removed $3 from its ring"
    return
  fi
  set_ring "$before" "$(clients_of_ring)" "$4"
  rm -f "$CACHES/$CACHE.aside"
  receipt "$HOSTNAME uses $3 again"
}

{
  main "$@"
  exit
}
