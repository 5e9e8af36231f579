#!/usr/bin/env bash
# Move all shards of a search cluster out of its spot zones, for the time of a roll.
# Usage: clear-spot.sh COMPONENT CLUSTER
#
# Copies move to the safe zones (own entries of exclude._ip), and awareness is lifted where it would keep them. Both are a
# lease of 60 s, "spot": bounce-node.sh … clear renews it, return-spot.sh gives it back, and a watch does when nobody comes.
# Refuses before anything is changed when the safe nodes are too few or too full. Ends when no copy is in a spot zone and
# none is delayed.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/search/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/search/lib-said.sh
. "$here/lib-said.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 2 ]] || misuse "clear-spot.sh takes COMPONENT CLUSTER, got: $*"
  load_cluster "$1" "$2"
  require_claim
  said_by spot clear
}

{
  main "$@"
  exit
}
