#!/usr/bin/env bash
# This host as the old edge of pools, when it goes out of service.
# Usage: retire.sh HOST STACK look|leave
#
# `look` says on stdout which pool's site Apache still serves here. Apache is not stopped by `leave`:
# whoever takes the host away does that, when users are sent elsewhere.

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
      printf '%s\n' "serves pool $pool with Apache: when its addresses are elsewhere: systemctl disable --now apache2"
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
