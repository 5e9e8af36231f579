#!/usr/bin/env bash
# Give an alias to the index of a version, without a lost change.
# Usage: swap-index.sh COMPONENT CLUSTER ALIAS SECONDS VERSION HOW FROM
#
# Writes of the old index are refused for at most SECONDS: the rest is copied, deletes too, counts, ids and a sample are compared,
# and one request moves the alias. A watch ends the block when this run dies; then no swap can follow.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/search/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/search/lib-said.sh
. "$here/lib-said.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 7 ]] || misuse "swap-index.sh takes COMPONENT CLUSTER ALIAS SECONDS VERSION HOW FROM, got: $*"
  load_cluster "$1" "$2"
  require_claim
  said_by index_swap "${@:3}"
}

{
  main "$@"
  exit
}
