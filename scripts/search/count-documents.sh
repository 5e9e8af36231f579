#!/usr/bin/env bash
# Count the documents that a rule of retention means, and refuse (77) what is no rule for old data.
# Usage: count-documents.sh COMPONENT CLUSTER KEY=VALUE…
#
# Refused: more than the limit, every document of an index, no whole snapshot of the last hour. Nothing is deleted.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/search/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/search/lib-said.sh
. "$here/lib-said.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# >= 3)) || misuse "count-documents.sh takes COMPONENT CLUSTER KEY=VALUE…, got: $*"
  load_cluster "$1" "$2"
  require_claim
  said_by documents count "${@:3}"
}

{
  main "$@"
  exit
}
