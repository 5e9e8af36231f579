#!/usr/bin/env bash
# Look whether this host still balances a pool, before the host goes out of service.
# Usage: retire.sh HOST STACK look|leave
#
# `look` prints each pool that this host still balances. `leave` does not stop HAProxy: the operator
# does, once users are sent to other balancers.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/lib-retire.sh
. "$here/../lib-retire.sh"

look() {
  local file pool
  for file in "$CHANGEOVER_ROOT"/*/template; do
    [[ -e $file ]] || continue
    pool=${file%/template} && pool=${pool##*/}
    ! is_active haproxy ||
      printf '%s\n' "balances pool $pool; move its addresses to other hosts, then: systemctl disable --now haproxy"
  done
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  know_order "$@"
  [[ $3 == leave ]] || look
}

{
  main "$@"
  exit
}
