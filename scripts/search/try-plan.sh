#!/usr/bin/env bash
# Try a plan of this host's node: its files and version start on loopback, in scratch folders, and end again.
# Usage: try-plan.sh COMPONENT CLUSTER MARK
#
# The node that runs is not touched. A setting that the engine does not know ends this with 77 and the engine's own line.
# It runs as the owner with 128 MB, in a unit of its own that systemd ends in any case.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/search/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/search/lib-said.sh
. "$here/lib-said.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 3 ]] || misuse "try-plan.sh takes COMPONENT CLUSTER MARK, got: $*"
  [[ $3 =~ ^([0-9a-f]{12}|next)$ ]] || misuse "\"$3\" is no mark of a plan; allowed: 12 of 0-9 and a-f, or next"
  load_cluster "$1" "$2"
  require_claim
  require_own_path "$SEARCH/$CLUSTER/plans/$3"
  said_by try_plan "$3"
}

{
  main "$@"
  exit
}
