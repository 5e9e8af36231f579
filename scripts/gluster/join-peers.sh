#!/usr/bin/env bash
# Join the servers of a volume to one trusted pool.
# Usage: join-peers.sh COMPONENT SECONDS ADDRESS…
#
# Runs on a server that is in the trusted pool already, or starts it. Waits until each server is `Peer in
# Cluster (Connected)`. Refuses (77) a server that is in another trusted pool, and one that the pool rejects.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# >= 3)) || misuse "join-peers.sh takes COMPONENT SECONDS ADDRESS…, got: $*"
  export CHANGEOVER_COMPONENT=$1
  local said
  said=$(python3 -I "$here/join-peers.py" "${@:2}")
  receipt "$said"
}

{
  main "$@"
  exit
}
