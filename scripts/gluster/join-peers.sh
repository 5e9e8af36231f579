#!/usr/bin/env bash
# Join the servers of a volume to one trusted pool.
# Usage: join-peers.sh COMPONENT SECONDS ADDRESS…
#
# Runs on a server that is in the trusted pool already, or starts it. Refuses (77) a server that
# is in another trusted pool.

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
  log "joining $1 to the trusted pool"
  require_claim
  said=$(gluster --mode=script peer probe "$1" 2>&1) || case $said in
    *'part of another cluster'*) refuse "$1 is in another trusted pool; on a server of that pool run: gluster peer detach $1" ;;
    *) log "$said" ;;
  esac
}

# A server that is on its way into the pool is in the list already, and no brick can be made on it yet.
all_settled() { ! gluster --mode=script peer status 2>/dev/null | grep '^State:' | grep -qvF 'Peer in Cluster'; }

# The pool may know a server by name and not by address; then only gluster can tell that it is the same.
has_joined() {
  in_pool "$1" || { gluster --mode=script peer probe "$1" 2>&1 | grep -q 'already in peer list' && all_settled; }
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# >= 3)) || misuse "join-peers.sh takes COMPONENT SECONDS ADDRESS…, got: $*"
  export CHANGEOVER_COMPONENT=$1
  local seconds=$2 address joined=0
  shift 2
  for address in "$@"; do
    if is_own "$address" || in_pool "$address"; then continue; fi
    probe "$address"
    wait_until "$address has joined the trusted pool and answers" "$seconds" has_joined "$address"
    joined=$((joined + 1))
  done
  receipt "$# server(s) in one trusted pool, $joined of them new"
}

{
  main "$@"
  exit
}
