#!/usr/bin/env bash
# Start this host's node and wait until it has joined.
# Usage: start-node.sh COMPONENT CLUSTER BOUNCED
#
# A node that runs is left alone. One that is started has its present configuration, or the next one if it never ran.
# BOUNCED is what it is recorded to be restarted for, since a node that just started needs no bounce; - for nothing.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/search/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/search/lib-said.sh
. "$here/lib-said.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 3 && $3 != *$'\n'* ]] || misuse "start-node.sh takes COMPONENT CLUSTER BOUNCED, got: $*"
  load_cluster "$1" "$2"
  require_claim
  systemctl enable --quiet "$UNIT"
  said_by start_node "$3"
}

{
  main "$@"
  exit
}
