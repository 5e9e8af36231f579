#!/usr/bin/env bash
# Put the site of a pool into maintenance, or out of it.
# Usage: maintenance.sh COMPONENT POOL on|off
#
# `on`: every address shows the page with status 503; requests on their way are ended by their
# servers first. Checked at each address: PASS is 503 and the page's marker, FAIL anything else.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/haproxy/lib.sh
. "$here/lib.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 3 && $3 =~ ^(on|off)$ ]] || misuse "maintenance.sh takes COMPONENT POOL on|off, got: $*"
  local did seen=pass
  know_pool "$1" "$2"
  require_claim
  log "maintenance of $POOL: $3"
  did=$(python3 "$here/maintenance.py" "$POOL" "$3")
  [[ $3 == on ]] || seen=open
  [[ $did != so ]] || did=$(python3 "$here/maintenance.py" "$POOL" "$seen")
  receipt "maintenance of $POOL is $3, $did"
}

{
  main "$@"
  exit
}
