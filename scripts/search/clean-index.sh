#!/usr/bin/env bash
# Delete what is behind an alias no more: copies that never served, and old indexes beyond the KEEP newest.
# Usage: clean-index.sh COMPONENT CLUSTER ALIAS KEEP VERSION
#
# Only indexes that this program made, and never one that an alias names.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/search/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/search/lib-said.sh
. "$here/lib-said.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 5 ]] || misuse "clean-index.sh takes COMPONENT CLUSTER ALIAS KEEP VERSION, got: $*"
  load_cluster "$1" "$2"
  require_claim
  said_by index_clean "${@:3}"
}

{
  main "$@"
  exit
}
