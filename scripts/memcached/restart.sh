#!/usr/bin/env bash
# Have this node of a cache run with its settings, with what it holds as far as that fits.
# Usage: restart.sh COMPONENT CACHE keep|empty
#
# With `keep` what it holds is read before and stored again after, at most half of the free
# memory's worth: of a node that no other could stand in for.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/memcached/lib.sh
. "$here/lib.sh"

half_of_free_mib() { awk '/^MemAvailable:/ { print int($2 / 2048) }' /proc/meminfo; }

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 3 && $3 =~ ^(keep|empty)$ ]] || misuse "restart.sh takes COMPONENT CACHE keep|empty, got: $*"
  local kept='already'
  know_cache "$1" "$2"
  load_node
  if ! is_as_configured; then
    require_claim
    log "restarting memcached for $CACHE"
    if [[ $3 == keep ]]; then
      kept=$(python3 "$here/keep.py" "127.0.0.1:$PORT" "$(half_of_free_mib)" systemctl restart "$UNIT")
    else
      kept=empty
      systemctl restart "$UNIT"
    fi
  fi
  wait_until "$UNIT answers at $ADDRESS:$PORT (see: journalctl -u $UNIT)" 30 answers
  require_as_configured
  write_rules
  receipt "$HOSTNAME runs as configured at $ADDRESS:$PORT, $kept"
}

{
  main "$@"
  exit
}
