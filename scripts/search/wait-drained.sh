#!/usr/bin/env bash
# Wait until a node of a search cluster is empty, by its shards.
# Usage: wait-drained.sh COMPONENT CLUSTER NODE MINUTES
#
# Empty: no shard copy is on NODE, every copy that can be built elsewhere is, and each shard has one outside the spot zones.
# Past MINUTES it ends with 75 and how far it is; the next run goes on. It ends with 77 when no shard can move any more.

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
  [[ $# -eq 4 && $4 =~ ^[0-9]{1,4}$ ]] || misuse "wait-drained.sh takes COMPONENT CLUSTER NODE MINUTES, got: $*"
  load_cluster "$1" "$2"
  require_node "$3"
  require_claim
  said_by drain wait "$3" "$4"
}

{
  main "$@"
  exit
}
