#!/usr/bin/env bash
# See that nobody writes to a search cluster: for 3 s no document of any index is indexed or deleted.
# Usage: check-still.sh COMPONENT CLUSTER
#
# Waits up to 20 s for requests that are under way. Then it refuses (77) and names the indexes that grow, and how fast:
# somebody writes whose unit is not among the writers of the stack file.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/search/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/search/lib-said.sh
. "$here/lib-said.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 2 ]] || misuse "check-still.sh takes COMPONENT CLUSTER, got: $*"
  load_cluster "$1" "$2"
  require_claim
  said_by check_still
}

{
  main "$@"
  exit
}
