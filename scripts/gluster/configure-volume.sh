#!/usr/bin/env bash
# Configure a volume: exactly these bricks and options, and started.
# Usage: configure-volume.sh COMPONENT SECONDS VOLUME data=HOST:PATH… [arbiter=HOST:PATH] [set=KEY=VALUE…]
#
# Bricks are added, removed and replaced one at a time. Each change waits up to SECONDS until every
# other brick is online and nothing is left to heal on any volume of the trusted pool. A removed
# brick keeps its data on its host. Refuses (77) files in split brain, and lists them.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# >= 4)) || misuse "configure-volume.sh takes COMPONENT SECONDS VOLUME BRICK…, got: $*"
  export CHANGEOVER_COMPONENT=$1
  local said
  said=$(python3 -I "$here/configure-volume.py" "${@:2}")
  receipt "$said"
}

{
  main "$@"
  exit
}
