#!/usr/bin/env bash
# Require that this client's ring is without a node. Read-only.
# Usage: require-unused.sh COMPONENT CACHE HOST:PORT

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/memcached/lib.sh
. "$here/lib.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 3)) || misuse "require-unused.sh takes COMPONENT CACHE HOST:PORT, got: $*"
  know_cache "$1" "$2"
  ! grep -qsxF "$3" "$CACHES/$CACHE.ring" ||
    refuse "$3 is still in the ring of $HOSTNAME, so memcached there must not be removed; start again: npx pulumi up --replace '**::$CACHE-ring-id'"
  receipt "$HOSTNAME does not use $3"
}

{
  main "$@"
  exit
}
