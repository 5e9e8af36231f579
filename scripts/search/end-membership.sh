#!/usr/bin/env bash
# End the membership of a stopped node of a search cluster: its exclusion and the one of its vote are taken away.
# Usage: end-membership.sh COMPONENT CLUSTER NODE
#
# Runs on another node. Refuses while NODE is in the cluster, or while a shard has its last copy on it.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/search/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/search/lib-members.sh
. "$here/lib-members.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 3)) || misuse "end-membership.sh takes COMPONENT CLUSTER NODE, got: $*"
  local votes
  load_cluster "$1" "$2"
  require_node "$3"
  require_claim
  in_python drain finish "$3" >&2 || exit $?
  require_claim
  votes=$(in_python votes return "$3" "$(records)/votes-$3.json") || exit $?
  receipt "$3 has left $CLUSTER; $votes"
}

{
  main "$@"
  exit
}
