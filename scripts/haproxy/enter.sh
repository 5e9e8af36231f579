#!/usr/bin/env bash
# Bring servers into traffic and watch them there; whether that is good stands in the tail of the receipt.
# Usage: enter.sh COMPONENT POOL UP_SECONDS BAKE_SECONDS PATH HOSTHEADER SERVER…
#
# Only servers that are to be in the pool (member.sh): others stay in maintenance. HAProxy checks
# a server before anybody is sent to it. For BAKE_SECONDS its errors and checks are watched, and
# PATH is asked through the front. What is bad is in maintenance again when this ends with 0.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/lib-temporary.sh
. "$here/../lib-temporary.sh"
# shellcheck source=scripts/haproxy/lib.sh
. "$here/lib.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -ge 7 && $3 =~ ^[0-9]+(\.[0-9]+)?$ && $4 =~ ^[0-9]+(\.[0-9]+)?$ && $5 == /* ]] ||
    misuse "enter.sh takes COMPONENT POOL UP_SECONDS BAKE_SECONDS PATH HOSTHEADER SERVER…, got: $*"
  local verdict server
  know_pool "$1" "$2"
  require_claim
  for server in "${@:7}"; do
    [[ ! -e $(records)/temporary/drain-$server ]] || put_back_after $((${3%.*} + ${4%.*})) "$server"
  done
  verdict=$(python3 "$here/enter.py" "$BY" "${@:2}")
  # What is bad stays out, and a timer must not bring it back.
  for server in "${@:7}"; do settle "drain-$server"; done
  receipt_of "$verdict"
}

{
  main "$@"
  exit
}
