#!/usr/bin/env bash
# Have the cache survive the restart of one node, as seen from this client. Read-only.
# Usage: others.sh COMPONENT CACHE HOST:PORT
#
# Every other node of the ring that this client uses answers: version, a value set and got.
# Refuses (77) when one does not: there would be two nodes less.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/memcached/lib.sh
. "$here/lib.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 3)) || misuse "others.sh takes COMPONENT CACHE HOST:PORT, got: $*"
  local wrong
  local -a others=()
  know_cache "$1" "$2"
  if ! grep -qsxF "$3" "$CACHES/$CACHE.ring"; then
    receipt "$HOSTNAME does not use $3"
    return
  fi
  if ! python3 "$here/reach.py" "$3" 2>/dev/null; then
    receipt "$3 does not answer $HOSTNAME as it is"
    return
  fi
  mapfile -t others < <(grep -vxF "$3" "$CACHES/$CACHE.ring")
  if ((${#others[@]} == 0)); then
    receipt "$3 is the only node of $CACHE; there is no other to wait for"
    return
  fi
  wrong=$(python3 "$here/reach.py" "${others[@]}" 2>&1) ||
    refuse "$3 must not be restarted, since another node of $CACHE does not answer $HOSTNAME: $wrong; mend that one, or make it \`out\`"
  receipt "${#others[@]} other(s) of $CACHE answer $HOSTNAME"
}

{
  main "$@"
  exit
}
