#!/usr/bin/env bash
# Stop this host's node, and see that it does not start again. Its data stays.
# Usage: stop-node.sh COMPONENT CLUSTER
#
# Refuses (77) while a shard is on the node: it is drained first.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/search/lib.sh
. "$here/lib.sh"

is_stopped() { [[ $(systemctl show -P ActiveState "$UNIT") =~ ^(inactive|failed)$ ]]; }

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 2)) || misuse "stop-node.sh takes COMPONENT CLUSTER, got: $*"
  local shards limit
  load_cluster "$1" "$2"
  require_claim
  if ! is_stopped; then
    shards=$(in_python shards_here)
    [[ $shards == 0 ]] || refuse "$HOSTNAME still has $shards shard(s) of $CLUSTER (allowed: 0); run npx pulumi up"
    require_claim
    log "stopping the node of $CLUSTER"
    systemctl disable --quiet "$UNIT"
    systemctl stop --no-block "$UNIT"
    # systemd kills it after the seconds of the stack file.
    limit=$(sed -n 's/^  "stop": \([0-9]\{1,5\}\),\{0,1\}$/\1/p' "$SEARCH/$CLUSTER.json")
    wait_until "the node of $CLUSTER on $HOSTNAME stops" "$((${limit:-60} + 30))" is_stopped
  fi
  systemctl disable --quiet "$UNIT" 2>/dev/null || true
  receipt "$HOSTNAME runs no node of $CLUSTER; its data stays"
}

{
  main "$@"
  exit
}
