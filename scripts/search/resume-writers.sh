#!/usr/bin/env bash
# Start the units of this host again that wrote to a search cluster when it was paused: exactly those, in their order.
# Usage: resume-writers.sh COMPONENT CLUSTER BY
#
# BY is whose pause ends: pause or rescue. While the other one still asks for it, the units stay stopped. Each one must run,
# and still run a moment later; one that does not is named (77), and the record stays for the next run.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/search/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/search/lib-said.sh
. "$here/lib-said.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 3 ]] || misuse "resume-writers.sh takes COMPONENT CLUSTER BY, got: $*"
  load_cluster "$1" "$2"
  require_claim
  said_by writers resume "$3"
}

{
  main "$@"
  exit
}
