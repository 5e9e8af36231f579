#!/usr/bin/env bash
# Make haproxy.cfg what this machine's records of a pool say.
# Usage: compose.sh COMPONENT POOL
#
# For a file that was changed by hand: takes no server into traffic or out of it.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/haproxy/lib.sh
. "$here/lib.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 2)) || misuse "compose.sh takes COMPONENT POOL, got: $*"
  know_pool "$1" "$2"
  [[ -s $CHANGEOVER_ROOT/$POOL/template ]] || refuse "$HOSTNAME has no configuration of pool $POOL"
  receipt "haproxy.cfg of $POOL $(python3 "$here/compose.py" "$POOL")"
}

{
  main "$@"
  exit
}
