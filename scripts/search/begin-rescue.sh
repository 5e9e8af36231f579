#!/usr/bin/env bash
# Say what is broken in a search cluster, and hold allocation while its nodes are started.
# Usage: begin-rescue.sh COMPONENT CLUSTER
#
# Held is a lease of 45 s, "allocation", which each later step renews; without one the watch on each node's host puts back
# what was found. Without a manager nobody can be asked, and nothing is placed: the step that sees one holds it then.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/search/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/search/lib-said.sh
. "$here/lib-said.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 2 ]] || misuse "begin-rescue.sh takes COMPONENT CLUSTER, got: $*"
  load_cluster "$1" "$2"
  require_claim
  said_by rescue begin
}

{
  main "$@"
  exit
}
