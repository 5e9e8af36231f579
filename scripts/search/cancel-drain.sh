#!/usr/bin/env bash
# Cancel the drain of a node of a search cluster: it may have shards again.
# Usage: cancel-drain.sh COMPONENT CLUSTER NODE
#
# Settings are as the drain found them; exclusions of others, and of other drains, stay.

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
  (($# == 3)) || misuse "cancel-drain.sh takes COMPONENT CLUSTER NODE, got: $*"
  load_cluster "$1" "$2"
  require_node "$3"
  require_claim
  said_by drain cancel "$3"
}

{
  main "$@"
  exit
}
