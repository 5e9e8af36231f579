#!/usr/bin/env bash
# Take a snapshot of a search cluster, and wait for its end.
# Usage: take-snapshot.sh COMPONENT CLUSTER now|before [KINDS MINUTES]
#
# before: only when nodes are to restart for one of KINDS (version, settings) and the newest good one is older than MINUTES.
# A run that was killed goes on with the snapshot that it began. One that is PARTIAL or FAILED is refused (77) by its indexes;
# a snapshot of others is waited for.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/search/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/search/lib-said.sh
. "$here/lib-said.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 3 || $# == 5)) || misuse "take-snapshot.sh takes COMPONENT CLUSTER now|before [KINDS MINUTES], got: $*"
  load_cluster "$1" "$2"
  require_claim
  said_by take_snapshot "${@:3}"
}

{
  main "$@"
  exit
}
