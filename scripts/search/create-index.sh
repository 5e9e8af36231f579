#!/usr/bin/env bash
# Make the index of a version, ALIAS-vVERSION; with its alias, when there is none.
# Usage: create-index.sh COMPONENT CLUSTER ALIAS VERSION SHA256 HOW FROM BODY
#
# One that is there stays when it is a copy of what the alias names now, finished or not; a copy that is nobody's is made anew.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/search/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/search/lib-said.sh
. "$here/lib-said.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 8 ]] || misuse "create-index.sh takes COMPONENT CLUSTER ALIAS VERSION SHA256 HOW FROM BODY, got: $*"
  load_cluster "$1" "$2"
  require_claim
  said_by index_create "${@:3}"
}

{
  main "$@"
  exit
}
