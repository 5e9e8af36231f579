#!/usr/bin/env bash
# Check a search cluster after a change: every node sees the same manager, and all shards are where they will stay.
# Usage: check-cluster.sh COMPONENT CLUSTER
#
# Each node is asked at its own address, since the health lies after a cut. Waits until the shards have settled:
# green, or yellow with copies that no waiting can place, whose reasons the receipt says. What this run
# changed for a while and left behind is put back first.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/search/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/search/lib-said.sh
. "$here/lib-said.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 2 ]] || misuse "check-cluster.sh takes COMPONENT CLUSTER, got: $*"
  load_cluster "$1" "$2"
  require_claim
  local uuid
  uuid=$(value_of "$(records)/formed" uuid)
  said_by check_cluster "${uuid:--}"
}

{
  main "$@"
  exit
}
