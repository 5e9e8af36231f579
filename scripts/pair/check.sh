#!/usr/bin/env bash
# Look at a pair through its service address, from this host, as a user comes.
# Usage: check.sh PAIR ADDRESS PORT DATABASE STANDBY [PAGES]    (stdin: the pair's secret)
#
# Succeeds when the address accepts writes and STANDBY streams from it (with `none`: when
# it accepts writes), and serves PAGES, JSON by name. Changes nothing.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"

one_look() {
  wrong=$(python3 "$here/check.py" "$2" "$3" "$4" "$5" <<<"$secret" 2>&1) &&
    { [[ -z ${6:-} ]] || wrong=$(python3 "$here/pages.py" "$2" "$6" 2>&1); }
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 5 || $# == 6)) || misuse "check.sh takes PAIR ADDRESS PORT DATABASE STANDBY [PAGES], got: $*"
  export CHANGEOVER_COMPONENT=$1
  local wrong="" secret=""
  read_secret secret "the pair's secret"
  log "looking at $2:$3 from $HOSTNAME"
  (wait_until "$2:$3 serves" 30 one_look "$@") || {
    one_look "$@" || timed_out "$2:$3 as seen from $HOSTNAME: $wrong"
  }
  receipt "is served at $2, ${5/none/no standby} follows, seen from $HOSTNAME"
}

{
  main "$@"
  exit
}
