#!/usr/bin/env bash
# Register the folder of a search cluster's snapshots, and see that every node can use it.
# Usage: register-repository.sh COMPONENT CLUSTER
#
# The folder is the one that configure-node.sh was told. Each node that holds data or votes writes there and reads what the
# others wrote; one that can't is named. A repository of this name that is somebody else's is refused (77), and stays as it is.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/search/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/search/lib-said.sh
. "$here/lib-said.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 2 ]] || misuse "register-repository.sh takes COMPONENT CLUSTER, got: $*"
  load_cluster "$1" "$2"
  require_claim
  said_by repository
}

{
  main "$@"
  exit
}
