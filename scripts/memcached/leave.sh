#!/usr/bin/env bash
# Have no server of a cache on this machine.
# Usage: leave.sh COMPONENT CACHE
#
# Waits a moment for clients to let go, and says who has not: to them it is a node that died.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/memcached/lib.sh
. "$here/lib.sh"

connected() { ss -Htn state established "sport = :$PORT" | awk '{ sub(/:[0-9]+$/, "", $4); print $4 }' | sort -u | paste -sd' '; }
let_go() { [[ -z $(connected) ]]; }

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 2)) || misuse "leave.sh takes COMPONENT CACHE, got: $*"
  local still=''
  know_cache "$1" "$2"
  if [[ -e $CACHES/$CACHE.node ]]; then
    load_node
    (wait_until 'clients let go' 5 let_go) 2>/dev/null || still=$(connected)
    require_claim
  fi
  if [[ -e /etc/systemd/system/$UNIT ]]; then
    log "stopping memcached for $CACHE"
    timeout 60 systemctl disable --quiet --now "$UNIT" || timed_out "$UNIT does not stop"
    rm -rf "/etc/systemd/system/$UNIT" "/etc/systemd/system/$UNIT.d"
    systemctl daemon-reload
  fi
  ! nft list table inet "$TABLE" >/dev/null 2>&1 || nft delete table inet "$TABLE"
  rm -f "$CACHES/$CACHE".{node,nft}
  receipt "$HOSTNAME has no server of $CACHE${still:+, although $still still used it}"
}

{
  main "$@"
  exit
}
