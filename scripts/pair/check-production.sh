#!/usr/bin/env bash
# Check everything that production of a pair runs: all checks at once, each with a deadline.
# Usage: check-production.sh PAIR
#
# Reports every failure, not only the first. Ends with 75 when a check still fails at its
# deadline. Changes nothing.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 1)) || misuse "check-production.sh takes PAIR, got: $*"
  export CHANGEOVER_COMPONENT=$1
  local count
  count=$(python3 "$here/check_production.py" "$1") || timed_out "at least one check failed on $HOSTNAME; see the FAILED lines above"
  receipt "$HOSTNAME passed $count checks"
}

{
  main "$@"
  exit
}
