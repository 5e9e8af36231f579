#!/usr/bin/env bash
# Require that the cache survives the restart of one node, as this client sees it. Read-only.
# Usage: require-other-nodes.sh COMPONENT CACHE HOST:PORT
#
# Every other node of this client's ring must answer: version, a value set and read. Refuses (77)
# when one does not, since two nodes would be missing.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/memcached/lib.sh
. "$here/lib.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 3)) || misuse "require-other-nodes.sh takes COMPONENT CACHE HOST:PORT, got: $*"
  local wrong
  local -a others=()
  know_cache "$1" "$2"
  if ! grep -qsxF "$3" "$CACHES/$CACHE.ring"; then
    receipt "$HOSTNAME does not use $3"
    return
  fi
  if ! python3 -I "$here/reach.py" "$3" 2>/dev/null; then
    receipt "$3 does not answer $HOSTNAME now either"
    return
  fi
  mapfile -t others < <(grep -vxF "$3" "$CACHES/$CACHE.ring")
  if ((${#others[@]} == 0)); then
    receipt "$3 is the only node of $CACHE, so no other node is asked"
    return
  fi
  wrong=$(python3 -I "$here/reach.py" "${others[@]}" 2>&1) ||
    refuse "$3 must not be restarted, since another node of $CACHE does not answer $HOSTNAME: $wrong; repair that node, or set it to \`out\`"
  receipt "${#others[@]} other node(s) of $CACHE answer $HOSTNAME"
}

{
  main "$@"
  exit
}
