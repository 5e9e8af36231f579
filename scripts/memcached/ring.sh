#!/usr/bin/env bash
# Have this client use a ring: /etc/changeover/caches/CACHE.ring, a HOST:PORT a line.
# Usage: ring.sh COMPONENT CACHE SHA256 CLIENTS UNITS HOST:PORT…
#
# CLIENTS are those who have the same ring; UNITS are reloaded where they run, to read it
# anew, and never restarted (both with commas, `-` for none). Beside it stands its SHA256.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/memcached/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/memcached/lib-ring.sh
. "$here/lib-ring.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# >= 6)) || misuse "ring.sh takes COMPONENT CACHE SHA256 CLIENTS UNITS HOST:PORT…, got: $*"
  local text
  know_cache "$1" "$2"
  text=$(printf '%s\n' "${@:6}")
  [[ $(hash_of "$text") == "$3" ]] || misuse "the ring has the hash $(hash_of "$text"), not $3"
  install_tools
  give_ring "$text" "${4//,/ }" "$5"
  rm -f "$CACHES/$CACHE.aside"
  receipt "$HOSTNAME has ring ${3:0:12}"
}

{
  main "$@"
  exit
}
