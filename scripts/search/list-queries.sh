#!/usr/bin/env bash
# Name the searches of a cluster that run longer than SECONDS: node, age, index, program, query. Read-only.
# Usage: list-queries.sh COMPONENT CLUSTER SECONDS

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/search/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/search/lib-said.sh
. "$here/lib-said.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 3 ]] || misuse "list-queries.sh takes COMPONENT CLUSTER SECONDS, got: $*"
  load_cluster "$1" "$2"
  said_by queries list "$3"
}

{
  main "$@"
  exit
}
