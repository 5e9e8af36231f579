#!/usr/bin/env bash
# Make this host ready for its node of a search cluster: user, folders, unit, closed ports, the next configuration.
# Usage: configure-node.sh COMPONENT CLUSTER KEY=VALUE…
#
# Starts and stops nothing: the configuration is that of the node's next start. Keys are in configure_node.py.
# Refuses (77) names, users and folders that are the machine's or another program's.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/lib-rules.sh
. "$here/../lib-rules.sh"
# shellcheck source=scripts/search/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/search/lib-configure.sh
. "$here/lib-configure.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# >= 3)) || misuse "configure-node.sh takes COMPONENT CLUSTER KEY=VALUE…, got: $#"
  local draft said
  load_cluster "$1" "$2"
  require_claim
  require_own_names
  require_own_path "$SEARCH" /opt/changeover-search
  install -d -m 0755 "$SEARCH" "$SEARCH/$CLUSTER" "$SEARCH/$CLUSTER/plans"
  draft=$(mktemp -d "$SEARCH/$CLUSTER/.draft.XXXXXX")
  # shellcheck disable=SC2064
  trap "rm -rf '$draft'" EXIT
  said=$(in_python configure_node "$draft" "${@:3}")
  know_node "$draft/facts.json"
  have_owner
  have_folders
  have_repo
  have_keystore "$draft/plan"
  place_plan "$draft/plan" "$said"
  write_file "$SEARCH/$CLUSTER.json" <"$draft/facts.json"
  spread_hosts "$draft/plan/unicast_hosts.txt"
  write_unit
  node_rules "$draft/rules" | keep_rules "changeover-search-$CLUSTER"
  tail_add mark "$said"
  receipt "$HOSTNAME is configured as a node of $CLUSTER, next configuration $said"
}

{
  main "$@"
  exit
}
