#!/usr/bin/env bash
# Write the ring of this client: /etc/changeover/caches/CACHE.ring, one HOST:PORT a line.
# Usage: write-ring.sh COMPONENT CACHE SHA256 CLIENTS UNITS HOST:PORT…
#
# CLIENTS are all clients with this ring. UNITS are reloaded if they run, to read the ring, and never
# restarted. Both lists have commas; no unit is `-`. CACHE.ring.sha256 has SHA256 and CLIENTS.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/memcached/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/memcached/lib-ring.sh
. "$here/lib-ring.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# >= 6)) || misuse "write-ring.sh takes COMPONENT CACHE SHA256 CLIENTS UNITS HOST:PORT…, got: $*"
  local text
  know_cache "$1" "$2"
  text=$(printf '%s\n' "${@:6}")
  [[ $(hash_of "$text") == "$3" ]] || misuse "the ring has the hash $(hash_of "$text") (expected: $3)"
  install_tools
  set_ring "$text" "${4//,/ }" "$5"
  rm -f "$CACHES/$CACHE.aside"
  receipt "$HOSTNAME has ring ${3:0:12}"
}

{
  main "$@"
  exit
}
