#!/usr/bin/env bash
# Say who still comes by one address of a pool, before the address is released.
# Usage: clients.sh COMPONENT POOL ADDRESS:PORT DAYS [DEADLINE]
#
# From HAProxy's log in this machine's journal: each name that was asked for, how often and when
# last. The receipt's tail says verdict=bad while there is one. With a DEADLINE (2026-12-24) it is asked for the
# address's end, and refuses (77) while somebody uses it and it is not later. Reads only.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/haproxy/lib.sh
. "$here/lib.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -ge 4 && $# -le 5 && $4 =~ ^[0-9]+$ && ${5:-2026-12-24} =~ ^[0-9]{4}-[0-9]{2}-[0-9]{2}$ ]] ||
    misuse "clients.sh takes COMPONENT POOL ADDRESS:PORT DAYS [DEADLINE], got: $*"
  local said
  know_pool "$1" "$2"
  said=$(python3 "$here/clients.py" "$POOL" "${@:3}")
  receipt_of "$said"
}

{
  main "$@"
  exit
}
