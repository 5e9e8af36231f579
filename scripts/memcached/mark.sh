#!/usr/bin/env bash
# Leave the hash of this client's ring on every node of it, for the other clients to get.
# Usage: mark.sh COMPONENT CACHE

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/memcached/lib.sh
. "$here/lib.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 2)) || misuse "mark.sh takes COMPONENT CACHE, got: $*"
  local wrong
  know_cache "$1" "$2"
  wrong=$(python3 "$here/marks.py" "$CACHE" leave 2>&1) || timed_out "$HOSTNAME can't mark its ring of $CACHE: $wrong"
  receipt "$HOSTNAME has left the hash of its ring on every node"
}

{
  main "$@"
  exit
}
