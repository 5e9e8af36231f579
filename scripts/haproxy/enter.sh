#!/usr/bin/env bash
# Bring servers into traffic and watch them there. The receipt's tail has the verdict.
# Usage: enter.sh COMPONENT POOL UP_SECONDS BAKE_SECONDS PATH HOSTHEADER UNDO_SECONDS SERVER…
#
# A server without wanted=in (record-membership.sh) stays in maintenance. HAProxy checks a server
# before any request goes to it. For BAKE_SECONDS its errors and checks are watched, and PATH is
# asked through the frontend. A bad server is in maintenance again when this ends with 0. A drain of
# a server that enters keeps its undo, by a timer of UNDO_SECONDS.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/lib-temporary.sh
. "$here/../lib-temporary.sh"
# shellcheck source=scripts/haproxy/lib.sh
. "$here/lib.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -ge 8 && $3 =~ ^[0-9]+(\.[0-9]+)?$ && $4 =~ ^[0-9]+(\.[0-9]+)?$ && $5 == /* && $7 =~ ^[0-9]+$ ]] ||
    misuse "enter.sh takes COMPONENT POOL UP_SECONDS BAKE_SECONDS PATH HOSTHEADER UNDO_SECONDS SERVER…, got: $*"
  local verdict server
  know_pool "$1" "$2"
  require_claim
  for server in "${@:8}"; do
    [[ ! -e $(records)/temporary/drain-$server ]] || undo_drain_after $(($7 + ${3%.*} + ${4%.*})) "$server"
  done
  verdict=$(python3 "$here/enter.py" "$BY" "${@:2:5}" "${@:8}")
  # A bad server stays in maintenance, so no timer may bring it back.
  for server in "${@:8}"; do settle "drain-$server"; done
  receipt_of "$verdict"
}

{
  main "$@"
  exit
}
