#!/usr/bin/env bash
# Cancel the searches of a cluster that run longer than SECONDS, and see that they have ended.
# Usage: cancel-queries.sh COMPONENT CLUSTER SECONDS
#
# Searches of programs alone: no write, no recovery, no snapshot, and no search that belongs to a reindex.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/search/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/search/lib-said.sh
. "$here/lib-said.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 3 ]] || misuse "cancel-queries.sh takes COMPONENT CLUSTER SECONDS, got: $*"
  load_cluster "$1" "$2"
  require_claim
  said_by queries cancel "$3"
}

{
  main "$@"
  exit
}
