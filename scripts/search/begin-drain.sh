#!/usr/bin/env bash
# Begin to empty a node of a search cluster: its shards move to other nodes while it serves on.
# Usage: begin-drain.sh COMPONENT CLUSTER NODE SECONDS MIBPS
#
# Refuses while a snapshot runs, or when the other nodes have no room; nothing is changed then. Else one change of settings
# excludes NODE, for SECONDS from its last renewal on. MIBPS: speed of recoveries meanwhile, 0 for the one found.
# A drain that was begun goes on, and keeps what it found first. Ends within seconds, with how far it is.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/search/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/search/lib-said.sh
. "$here/lib-said.sh"
# shellcheck source=scripts/search/lib-members.sh
. "$here/lib-members.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 5 && $4 =~ ^[0-9]{1,7}$ && $5 =~ ^[0-9]{1,5}$ ]] ||
    misuse "begin-drain.sh takes COMPONENT CLUSTER NODE SECONDS MIBPS, got: $*"
  load_cluster "$1" "$2"
  require_node "$3"
  require_claim
  said_by drain begin "$3" "$4" "$5"
}

{
  main "$@"
  exit
}
