#!/usr/bin/env bash
# Have what programs do that have not read the new ring done at the new nodes too; then the
# old copies are gone.
# Usage: settle.sh COMPONENT CACHE SECONDS SETTLE
#
# Goes on from copy.sh, for SETTLE seconds; at most for SECONDS.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/memcached/lib.sh
. "$here/lib.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 4 && $3 =~ ^[0-9]+$ && $4 =~ ^[0-9]+$ ]] || misuse "settle.sh takes COMPONENT CACHE SECONDS SETTLE, got: $*"
  local said
  know_cache "$1" "$2"
  said=$(python3 "$here/move.py" after "$CACHE" "$3" "$(records)/moved-$CHANGEOVER_ID" "$4")
  rm -f "$(records)"/moved-*
  receipt "$said,"
}

{
  main "$@"
  exit
}
