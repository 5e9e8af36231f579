#!/usr/bin/env bash
# Look at everything that production of a pair runs, all at once, each with a deadline.
# Usage: checks.sh PAIR
#
# Every failure is reported, not only the first. Ends with 75 when one stays. Reads only.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 1)) || misuse "checks.sh takes PAIR, got: $*"
  export CHANGEOVER_COMPONENT=$1
  local count
  count=$(python3 "$here/checks.py" "$1") || timed_out "not everything on $HOSTNAME is as it is to be; each failure stands above"
  receipt "$HOSTNAME passed $count checks"
}

{
  main "$@"
  exit
}
