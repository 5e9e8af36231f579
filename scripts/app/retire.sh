#!/usr/bin/env bash
# This host as a server of pools, when it goes out of service.
# Usage: retire.sh HOST STACK look|leave
#
# `look` says on stdout which application still runs here. It is not stopped by `leave`: whoever takes
# the host away does that, when no balancer sends it a request any more.

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
      printf '%s\n' "runs the application of pool $pool: when it is out there: systemctl disable --now $pool"
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
