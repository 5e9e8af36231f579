#!/usr/bin/env bash
# Show how far a node of a search cluster is emptied: bytes, rate, time left, and what blocks it.
# Usage: show-drain.sh COMPONENT CLUSTER NODE
#
# Under the claim it also renews the lease of the drain and nudges the allocator. Ends with 0 however far it is.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/search/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/search/lib-said.sh
. "$here/lib-said.sh"
# shellcheck source=scripts/search/lib-members.sh
. "$here/lib-members.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 3)) || misuse "show-drain.sh takes COMPONENT CLUSTER NODE, got: $*"
  local how=look
  load_cluster "$1" "$2"
  require_node "$3"
  ! (require_claim) 2>/dev/null || how=act
  said_by drain show "$3" "$how"
}

{
  main "$@"
  exit
}
