#!/usr/bin/env bash
# Let shards into the spot zones again, as it was found before clear-spot.sh.
# Usage: return-spot.sh COMPONENT CLUSTER
#
# Exclusions and awareness are as found in one change; entries of others stay. Ends when the shards have settled.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/search/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/search/lib-said.sh
. "$here/lib-said.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 2 ]] || misuse "return-spot.sh takes COMPONENT CLUSTER, got: $*"
  load_cluster "$1" "$2"
  require_claim
  said_by spot return
}

{
  main "$@"
  exit
}
