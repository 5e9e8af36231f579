#!/usr/bin/env bash
# Have the entries that a new ring gives to another node copied there.
# Usage: move.sh COMPONENT CACHE before SECONDS HOST:PORT…
#        move.sh COMPONENT CACHE after SECONDS SETTLE HOST:PORT…
#
# Runs on one client, before and after all of them get the ring. For SETTLE seconds after it
# follows what programs do that have not read the ring. It is a cache: what can't be copied
# within SECONDS is left, and said.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/memcached/lib.sh
. "$here/lib.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -ge 5 && $3 =~ ^(before|after)$ && $4 =~ ^[0-9]+$ ]] ||
    misuse "move.sh takes COMPONENT CACHE before|after SECONDS [SETTLE] HOST:PORT…, got: $*"
  local said record
  know_cache "$1" "$2"
  record=$(records)/moved-$CHANGEOVER_ID
  mkdir -p "$(records)"
  said=$(umask 077 && python3 "$here/move.py" "$3" "$CACHE" "$4" "$record" "${@:5}")
  [[ $3 == before ]] || rm -f "$(records)"/moved-*
  receipt "$said,"
}

{
  main "$@"
  exit
}
