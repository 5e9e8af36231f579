#!/usr/bin/env bash
# Start this host's node of a search cluster, when it is not in.
# Usage: rescue-node.sh COMPONENT CLUSTER TURN
#
# TURN "first": only when others need it: it may be a manager and nobody sees one, or a red shard has a copy on its disk.
# TURN "then": when it is not in. The line of its log that says why is told before. A process that runs and neither answers
# nor joins is started anew. A node that does not come up is named, with its reason, and fails nothing: others go on.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/search/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/search/lib-said.sh
. "$here/lib-said.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 3 ]] || misuse "rescue-node.sh takes COMPONENT CLUSTER TURN, got: $*"
  load_cluster "$1" "$2"
  require_claim
  said_by rescue node "$3"
}

{
  main "$@"
  exit
}
