#!/usr/bin/env bash
# Undo a drain: put a server back into traffic that nobody came back to.
# Usage: back.sh COMPONENT POOL SERVER
#
# Started by the timer that drain.sh arms. Leaves a server that was taken out again since, by
# others, or that is not to be in the pool any more.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/haproxy/lib.sh
. "$here/lib.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 3)) || misuse "back.sh takes COMPONENT POOL SERVER, got: $*"
  local said
  know_pool "$1" "$2"
  said=$(python3 "$here/drain.py" back "$POOL" "$BY" "$3")
  receipt "$said"
}

{
  main "$@"
  exit
}
