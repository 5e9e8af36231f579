#!/usr/bin/env bash
# Patroni's callback: the service address is where the leader is.
# Usage: bench-follow-leader ACTION ROLE CLUSTER

set -euo pipefail

take() {
  sudo ip address replace @SERVICE@/32 dev eth0
  sudo arping -q -c 1 -A -I eth0 @SERVICE@
  sudo arping -q -c 1 -U -I eth0 @SERVICE@
}

main() {
  case $1/$2 in
    on_start/master | on_start/primary | on_role_change/master | on_role_change/primary) take ;;
    *) sudo ip address del @SERVICE@/32 dev eth0 2>/dev/null || true ;;
  esac
}

{
  main "$@"
  exit
}
