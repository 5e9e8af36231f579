#!/usr/bin/env bash
# Drain the old nodes of moved entries: repeat late changes at the new nodes, then remove the old copies.
# Usage: drain-old-node.sh COMPONENT CACHE SECONDS SETTLE
#
# Continues after copy-entries.sh. Programs that have not read the new ring still change entries at the
# old nodes; that is followed for SETTLE seconds, and at most for SECONDS.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/memcached/lib.sh
. "$here/lib.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 4 && $3 =~ ^[0-9]+$ && $4 =~ ^[0-9]+$ ]] || misuse "drain-old-node.sh takes COMPONENT CACHE SECONDS SETTLE, got: $*"
  local said
  know_cache "$1" "$2"
  said=$(python3 -I "$here/move.py" after "$CACHE" "$3" "$(records)/moved-$CHANGEOVER_ID" "$4")
  rm -f "$(records)"/moved-*
  receipt "$said,"
}

{
  main "$@"
  exit
}
