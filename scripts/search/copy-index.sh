#!/usr/bin/env bash
# Copy all documents to the index of a version while programs go on.
# Usage: copy-index.sh COMPONENT CLUSTER ALIAS RATE VERSION HOW FROM
#
# RATE: documents a second, 0: no limit. A task of the cluster does it; a run that was killed finds it and goes on waiting.
# A document that the new index refuses is named (77); the alias is as it was.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/search/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/search/lib-said.sh
. "$here/lib-said.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 7 ]] || misuse "copy-index.sh takes COMPONENT CLUSTER ALIAS RATE VERSION HOW FROM, got: $*"
  load_cluster "$1" "$2"
  require_claim
  said_by index_copy "${@:3}"
}

{
  main "$@"
  exit
}
