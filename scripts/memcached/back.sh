#!/usr/bin/env bash
# Have this client use a node again that aside.sh took out of its ring.
# Usage: back.sh COMPONENT CACHE HOST:PORT UNITS    (UNITS as for ring.sh)

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/memcached/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/memcached/lib-ring.sh
. "$here/lib-ring.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 4)) || misuse "back.sh takes COMPONENT CACHE HOST:PORT UNITS, got: $*"
  local before
  know_cache "$1" "$2"
  before=$(ring_before "$3")
  if [[ -z $before ]]; then
    receipt "$HOSTNAME has set nothing aside"
    return
  fi
  give_ring "$before" "$(clients_of_ring)" "$4"
  rm -f "$CACHES/$CACHE.aside"
  receipt "$HOSTNAME uses $3 again"
}

{
  main "$@"
  exit
}
