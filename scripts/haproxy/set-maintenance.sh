#!/usr/bin/env bash
# Switch the maintenance of a pool's site on or off.
# Usage: set-maintenance.sh COMPONENT POOL on|off
#
# `on`: every address shows the maintenance page with status 503; servers finish their requests in
# flight. Checked at each address: PASS is status 503 and the page's marker, anything else is FAIL.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/haproxy/lib.sh
. "$here/lib.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 3 && $3 =~ ^(on|off)$ ]] || misuse "set-maintenance.sh takes COMPONENT POOL on|off, got: $*"
  local outcome check=pass
  know_pool "$1" "$2"
  require_claim
  log "switching the maintenance of $POOL $3"
  outcome=$(python3 "$here/maintenance.py" "$POOL" "$3")
  [[ $3 == on ]] || check=open
  [[ $outcome != switched ]] || outcome=$(python3 "$here/maintenance.py" "$POOL" "$check")
  receipt "maintenance of $POOL is $3, $outcome"
}

{
  main "$@"
  exit
}
