#!/usr/bin/env bash
# Undo a drain: bring a server back into traffic if no later step followed the drain.
# Usage: undo-drain.sh COMPONENT POOL SERVER
#
# Started by the timer that drain.sh arms. Leaves out a server that another transition took out of
# traffic since, and a server whose record does not say wanted=in.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/haproxy/lib.sh
. "$here/lib.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 3)) || misuse "undo-drain.sh takes COMPONENT POOL SERVER, got: $*"
  local result
  know_pool "$1" "$2"
  result=$(python3 "$here/drain.py" undo "$POOL" "$BY" "$3")
  receipt "$result"
}

{
  main "$@"
  exit
}
