#!/usr/bin/env bash
# Make Java's archive of the classes of plan MARK's version, so that a node is away for less than half the time.
# Usage: archive-classes.sh COMPONENT CLUSTER MARK     (12 of 0-9 and a-f, or next)
#
# Starts the plan once on loopback, beside the node that runs, and ends it. An archive that fits is kept. Without
# one a node starts as it ever did, so the run says why there is none, and goes on.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/search/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/search/lib-said.sh
. "$here/lib-said.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 3 ]] || misuse "archive-classes.sh takes COMPONENT CLUSTER MARK, got: $*"
  [[ $3 =~ ^([0-9a-f]{12}|next)$ ]] || misuse "\"$3\" is no mark of a plan; allowed: 12 of 0-9 and a-f, or next"
  load_cluster "$1" "$2"
  require_claim
  require_own_path "$SEARCH/$CLUSTER/plans"
  said_by archive_classes "$3"
}

{
  main "$@"
  exit
}
