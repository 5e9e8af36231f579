#!/usr/bin/env bash
# Write haproxy.cfg from this balancer's records of a pool.
# Usage: write-config.sh COMPONENT POOL
#
# For a haproxy.cfg that was changed by hand. Changes no server's state and does not reload HAProxy.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/haproxy/lib.sh
. "$here/lib.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 2)) || misuse "write-config.sh takes COMPONENT POOL, got: $*"
  know_pool "$1" "$2"
  [[ -s $CHANGEOVER_ROOT/$POOL/template ]] || refuse "$HOSTNAME has no configuration of pool $POOL; configure the balancer: npx pulumi up"
  receipt "haproxy.cfg of $POOL $(python3 "$here/write_config.py" "$POOL")"
}

{
  main "$@"
  exit
}
