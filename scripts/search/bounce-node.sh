#!/usr/bin/env bash
# Start this host's node of a search cluster anew, with plan MARK, while every shard on it has another copy that serves.
# Usage: bounce-node.sh COMPONENT CLUSTER MARK BOUNCED [clear]
#
# BOUNCED is the text of this bounce, - for none; a node that was started for MARK and BOUNCED already is left alone.
# clear: the spot zone was cleared (clear-spot.sh), so copies there count for nothing. Waits until the other
# nodes are in, no snapshot runs and each shard has another copy; replicas stay in place meanwhile (lease
# "allocation"), and the setting is put back as found. A node that does not come back with MARK is started
# with the plan found, and the run ends with the engine's own line. A stopped node is started.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/search/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/search/lib-said.sh
. "$here/lib-said.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 4 || ($# -eq 5 && $5 == clear) ]] || misuse "bounce-node.sh takes COMPONENT CLUSTER MARK BOUNCED [clear], got: $*"
  [[ $3 =~ ^([0-9a-f]{12}|next)$ ]] || misuse "\"$3\" is no mark of a plan; allowed: 12 of 0-9 and a-f, or next"
  [[ $4 != *$'\n'* ]] || misuse "BOUNCED is one line"
  load_cluster "$1" "$2"
  require_claim
  said_by bounce_node "${@:3}"
}

{
  main "$@"
  exit
}
