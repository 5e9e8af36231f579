#!/usr/bin/env bash
# Restart this node of a cache if it runs with other settings.
# Usage: restart-node.sh COMPONENT CACHE keep|empty
#
# With `keep` the node's entries are read before the restart and stored again after it, up to half
# of the free memory. With `empty` they are lost.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/memcached/lib.sh
. "$here/lib.sh"

half_of_free_mib() { awk '/^MemAvailable:/ { print int($2 / 2048) }' /proc/meminfo; }

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 3 && $3 =~ ^(keep|empty)$ ]] || misuse "restart-node.sh takes COMPONENT CACHE keep|empty, got: $*"
  local entries='without a restart'
  know_cache "$1" "$2"
  load_node
  if ! is_as_configured; then
    require_claim
    log "restarting memcached for $CACHE"
    if [[ $3 == keep ]]; then
      entries=$(python3 -I "$here/keep.py" "127.0.0.1:$PORT" "$(half_of_free_mib)" systemctl restart "$UNIT")
    else
      entries='empty'
      systemctl restart "$UNIT"
    fi
  fi
  wait_until "$UNIT answers at $ADDRESS:$PORT (see: journalctl -u $UNIT)" 30 answers
  require_as_configured
  write_rules
  receipt "$HOSTNAME runs as configured at $ADDRESS:$PORT, $entries"
}

{
  main "$@"
  exit
}
