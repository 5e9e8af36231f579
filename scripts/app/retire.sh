#!/usr/bin/env bash
# Look whether this host still runs an application of a pool, before the host goes out of service.
# Usage: retire.sh HOST STACK look|leave
#
# `look` prints each pool whose application still runs here. `leave` stops no application: the
# operator does, once the balancers send this host no requests.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/lib-retire.sh
. "$here/../lib-retire.sh"

look() {
  local folder pool
  for folder in "$CHANGEOVER_ROOT"/*/staged; do
    [[ -d $folder ]] || continue
    pool=${folder%/staged} && pool=${pool##*/}
    ! is_active "$pool" ||
      printf '%s\n' "runs the application of pool $pool; set the server to out, then: systemctl disable --now $pool"
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
