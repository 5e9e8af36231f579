#!/usr/bin/env bash
# Form the cluster, once: this manager and the others elect one of them.
# Usage: form-cluster.sh COMPONENT CLUSTER
#
# Runs on every manager at the same time. The names of the managers are told to the engine until all of them vote, and no
# longer: a node that lost its data would form a second cluster with them. Where a cluster is there already, the node
# joins it. Refuses (77) a data folder that this program has not filled.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/search/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/search/lib-said.sh
. "$here/lib-said.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 2)) || misuse "form-cluster.sh takes COMPONENT CLUSTER, got: $*"
  load_cluster "$1" "$2"
  require_claim
  systemctl enable --quiet "$UNIT"
  said_by form_cluster
}

{
  main "$@"
  exit
}
