#!/usr/bin/env bash
# Have a volume with exactly these bricks, started.
# Usage: volume.sh COMPONENT SECONDS VOLUME data=HOST:PATH… [arbiter=HOST:PATH] [set=OPTION=VALUE…]
#
# Bricks come, go and are replaced one at a time, each only when nothing is left to heal on any
# volume of the pool, nothing is in split brain, and every other brick is online. A brick that
# went is left as it is on its host. Refuses (77) while something is in split brain, with the list.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# >= 4)) || misuse "volume.sh takes COMPONENT SECONDS VOLUME BRICK…, got: $*"
  export CHANGEOVER_COMPONENT=$1
  local said
  said=$(python3 "$here/volume.py" "${@:2}")
  receipt "$said"
}

{
  main "$@"
  exit
}
