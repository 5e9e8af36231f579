#!/usr/bin/env bash
# Say who still comes by one address of a pool, before the address is released.
# Usage: clients.sh COMPONENT POOL ADDRESS:PORT DAYS
#
# From HAProxy's log in this machine's journal: each name that was asked for, how often and when
# last. The receipt says `bad:` while there is one. Reads only.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/haproxy/lib.sh
. "$here/lib.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 4 && $4 =~ ^[0-9]+$ ]] || misuse "clients.sh takes COMPONENT POOL ADDRESS:PORT DAYS, got: $*"
  local said
  know_pool "$1" "$2"
  said=$(python3 "$here/clients.py" "$POOL" "$3" "$4")
  receipt "$said"
}

{
  main "$@"
  exit
}
