#!/usr/bin/env bash
# Look whether Apache still serves a pool on this host, before the host goes out of service.
# Usage: retire.sh HOST STACK look|leave
#
# `look` prints each pool that Apache still serves here. `leave` does not stop Apache: the operator
# does, once users are sent to other hosts.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/lib-retire.sh
. "$here/../lib-retire.sh"

look() {
  local file pool
  for file in "$CHANGEOVER_ROOT"/*/apache/binds; do
    [[ -e $file ]] || continue
    pool=${file%/apache/binds} && pool=${pool##*/}
    ! is_active apache2 ||
      printf '%s\n' "serves pool $pool with Apache; move its addresses to other hosts, then: systemctl disable --now apache2"
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
