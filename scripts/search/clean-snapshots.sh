#!/usr/bin/env bash
# Delete snapshots of this program that are more than the stack file keeps.
# Usage: clean-snapshots.sh COMPONENT CLUSTER KEEP
#
# Only own ones, by name and metadata; never the newest good one, and never those of others.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/search/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/search/lib-said.sh
. "$here/lib-said.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 3 ]] || misuse "clean-snapshots.sh takes COMPONENT CLUSTER KEEP, got: $*"
  load_cluster "$1" "$2"
  require_claim
  said_by clean_snapshots "$3"
}

{
  main "$@"
  exit
}
