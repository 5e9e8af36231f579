#!/usr/bin/env bash
# Take the vote of a manager of a search cluster away, and wait until another manager is elected.
# Usage: leave-votes.sh COMPONENT CLUSTER NODE
#
# Refuses when the managers that stay are too few, or an even number without singleManager. A node without a vote: says so.

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
  (($# == 3)) || misuse "leave-votes.sh takes COMPONENT CLUSTER NODE, got: $*"
  load_cluster "$1" "$2"
  require_node "$3"
  require_claim
  in_python votes check "$3" >&2 || exit $?
  require_claim
  said_by votes leave "$3"
}

{
  main "$@"
  exit
}
