#!/usr/bin/env bash
# Delete the documents that count-documents.sh counted, page by page, until none matches.
# Usage: delete-documents.sh COMPONENT CLUSTER KEY=VALUE…
#
# Takes query, indexes and date of that count, so that a run that was killed goes on. Each document goes in the version that
# was found. Between pages others are served.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/search/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/search/lib-said.sh
. "$here/lib-said.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# >= 3)) || misuse "delete-documents.sh takes COMPONENT CLUSTER KEY=VALUE…, got: $*"
  load_cluster "$1" "$2"
  require_claim
  said_by documents delete "${@:3}"
}

{
  main "$@"
  exit
}
