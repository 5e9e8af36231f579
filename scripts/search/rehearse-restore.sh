#!/usr/bin/env bash
# Restore the newest good snapshot of a search cluster into scratch indexes, compare them, and measure how long it took.
# Usage: rehearse-restore.sh COMPONENT CLUSTER always|version
#
# version: only when nodes run another version than the stack file has. The indexes are changeover-rehearsal-CLUSTER-*: hidden,
# without replicas and aliases, and only where they fit below the low watermark. They are deleted at the end; when this run
# dies, by the next one, or within a minute by the watch on each node's host. No other index is touched.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/search/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/search/lib-said.sh
. "$here/lib-said.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 3 ]] || misuse "rehearse-restore.sh takes COMPONENT CLUSTER always|version, got: $*"
  load_cluster "$1" "$2"
  require_claim
  said_by rehearse "$3"
}

{
  main "$@"
  exit
}
