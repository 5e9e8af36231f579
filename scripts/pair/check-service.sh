#!/usr/bin/env bash
# Check a pair through its service address, from this host, as a client would.
# Usage: check-service.sh PAIR ADDRESS PORT DATABASE STANDBY [PAGES]    (stdin: the secret of the checks)
#
# Succeeds when PostgreSQL at ADDRESS accepts writes, STANDBY streams from it (`none`: no
# standby is expected), and ADDRESS serves PAGES (JSON by name). Changes nothing.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"

one_look() {
  wrong=$(python3 "$here/check_database.py" "$2" "$3" "$4" "$5" <<<"$secret" 2>&1) &&
    { [[ -z ${6:-} ]] || wrong=$(python3 "$here/check_pages.py" "$2" "$6" 2>&1); }
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 5 || $# == 6)) || misuse "check-service.sh takes PAIR ADDRESS PORT DATABASE STANDBY [PAGES], got: $*"
  export CHANGEOVER_COMPONENT=$1
  local wrong="" secret=""
  read_secret secret "the secret of the checks"
  log "checking $2:$3 from $HOSTNAME"
  (wait_until "$2:$3 serves" 30 one_look "$@") || {
    one_look "$@" || timed_out "$2:$3 fails its check from $HOSTNAME: $wrong"
  }
  receipt "is served at $2, ${5/none/no standby} streams, seen from $HOSTNAME"
}

{
  main "$@"
  exit
}
