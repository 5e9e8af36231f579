#!/usr/bin/env bash
# Remove a node of a cache: this host runs no memcached of it afterwards.
# Usage: remove-node.sh COMPONENT CACHE
#
# Waits 5 s for clients to disconnect. The receipt names clients that are still connected: to them the node dies.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/memcached/lib.sh
. "$here/lib.sh"

connected() { ss -Htn state established "sport = :$PORT" | awk '{ sub(/:[0-9]+$/, "", $4); print $4 }' | sort -u | paste -sd' '; }
all_disconnected() { [[ -z $(connected) ]]; }

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 2)) || misuse "remove-node.sh takes COMPONENT CACHE, got: $*"
  local still_connected=''
  know_cache "$1" "$2"
  if [[ -e $CACHES/$CACHE.node ]]; then
    load_node
    (wait_until 'all clients are disconnected' 5 all_disconnected) 2>/dev/null || still_connected=$(connected)
    require_claim
  fi
  if [[ -e /etc/systemd/system/$UNIT ]]; then
    log "stopping memcached for $CACHE"
    timeout 60 systemctl disable --quiet --now "$UNIT" || timed_out "$UNIT did not stop within 60 s; see: journalctl -u $UNIT"
    rm -rf "/etc/systemd/system/$UNIT" "/etc/systemd/system/$UNIT.d"
    systemctl daemon-reload
  fi
  drop_rules "$TABLE"
  rm -f "$CACHES/$CACHE".{node,nft}
  receipt "$HOSTNAME runs no memcached of $CACHE${still_connected:+; still connected at the end: $still_connected}"
}

{
  main "$@"
  exit
}
