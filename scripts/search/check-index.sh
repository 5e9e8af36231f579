#!/usr/bin/env bash
# Check whether an index can become the wanted version, before anything is changed.
# Usage: check-index.sh COMPONENT CLUSTER ALIAS VERSION SHA256 HOW FROM BODY
#
# HOW: reindex, update or import. FROM: http://host:port/index of an import, or -. BODY: the file of settings and mappings.
# Refuses (77) an alias that is an index, a body that served as another one, a source without whole documents, too little room.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/search/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/search/lib-said.sh
. "$here/lib-said.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 8 ]] || misuse "check-index.sh takes COMPONENT CLUSTER ALIAS VERSION SHA256 HOW FROM BODY, got: $*"
  load_cluster "$1" "$2"
  require_claim
  said_by index_check "${@:3}"
}

{
  main "$@"
  exit
}
