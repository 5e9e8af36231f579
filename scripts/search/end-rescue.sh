#!/usr/bin/env bash
# Let a search cluster place shards again as it was found, and wait until it has settled.
# Usage: end-rescue.sh COMPONENT CLUSTER
#
# Copies that failed five times are tried again. A cluster that stays red is refused (77), with each shard, why it has no
# primary, where copies may be, and the command of last resort with its loss. Nothing of it is run by this program.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/search/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/search/lib-said.sh
. "$here/lib-said.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 2 ]] || misuse "end-rescue.sh takes COMPONENT CLUSTER, got: $*"
  load_cluster "$1" "$2"
  require_claim
  said_by rescue end
}

{
  main "$@"
  exit
}
