#!/usr/bin/env bash
# Have the servers of a volume in one trusted pool.
# Usage: peers.sh COMPONENT SECONDS ADDRESS…
#
# Run on a server that is in the pool already, or is to begin it. Refuses (77) a server
# that is in another pool.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"

is_own() { [[ -n $(ip -o address show to "$1/32") ]]; }

in_pool() {
  gluster --mode=script peer status 2>/dev/null | grep -A2 -xF -e "Hostname: $1" -e "$1" |
    grep -qxF 'State: Peer in Cluster (Connected)'
}

probe() {
  local said
  log "taking $1 into the pool"
  require_claim
  said=$(gluster --mode=script peer probe "$1" 2>&1) || case $said in
    *'part of another cluster'*) refuse "$1 is in another trusted pool; detach it there first" ;;
    *) log "$said" ;;
  esac
}

# Servers know each other by name or address; gluster itself says whether it is one that it has.
joined() { in_pool "$1" || gluster --mode=script peer probe "$1" 2>&1 | grep -q 'already in peer list'; }

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# >= 3)) || misuse "peers.sh takes COMPONENT SECONDS ADDRESS…, got: $*"
  export CHANGEOVER_COMPONENT=$1
  local seconds=$2 address taken=0
  shift 2
  for address in "$@"; do
    if is_own "$address" || in_pool "$address"; then continue; fi
    probe "$address"
    wait_until "$address is in the pool and answers" "$seconds" joined "$address"
    taken=$((taken + 1))
  done
  receipt "$# server(s) in one pool, $taken of them new"
}

{
  main "$@"
  exit
}
