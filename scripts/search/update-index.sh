#!/usr/bin/env bash
# Bring the index behind an alias to a version in place: new fields, then every document indexed anew.
# Usage: update-index.sh COMPONENT CLUSTER ALIAS RATE VERSION SHA256 BODY
#
# RATE: documents a second, 0: no limit. What the engine can not add is refused (77) before a document is touched.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/search/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/search/lib-said.sh
. "$here/lib-said.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 7 ]] || misuse "update-index.sh takes COMPONENT CLUSTER ALIAS RATE VERSION SHA256 BODY, got: $*"
  load_cluster "$1" "$2"
  require_claim
  said_by index_update "${@:3}"
}

{
  main "$@"
  exit
}
