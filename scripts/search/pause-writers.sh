#!/usr/bin/env bash
# Stop the units of this host that write to a search cluster, and see that none starts again.
# Usage: pause-writers.sh COMPONENT CLUSTER BY REASON UNIT…
#
# What runs is recorded first, and once. A condition in a drop-in of each unit keeps timers, reboots and Restart= from
# starting it; a start is then skipped. BY is who asks: pause or rescue. Refuses (77) before anything stops: a unit that is
# not there, one that would take another with it, and one whose socket or path unit starts it again.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/search/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/search/lib-said.sh
. "$here/lib-said.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# >= 5)) || misuse "pause-writers.sh takes COMPONENT CLUSTER BY REASON UNIT…, got: $*"
  load_cluster "$1" "$2"
  require_claim
  said_by writers pause "${@:3}"
}

{
  main "$@"
  exit
}
