#!/usr/bin/env bash
# Require that one address of a pool has no clients, before the address is released. Read-only.
# Usage: require-no-clients.sh COMPONENT POOL ADDRESS:PORT DAYS [DEADLINE]
#
# HAProxy's log in this machine's journal has each requested host name: how often, and when last.
# With clients in the last DAYS days the script refuses (77), unless DEADLINE (2026-12-24) is over.
# Without a DEADLINE it refuses nothing: the receipt's tail is then verdict=bad.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/haproxy/lib.sh
. "$here/lib.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -ge 4 && $# -le 5 && $4 =~ ^[0-9]+$ && ${5:-2026-12-24} =~ ^[0-9]{4}-[0-9]{2}-[0-9]{2}$ ]] ||
    misuse "require-no-clients.sh takes COMPONENT POOL ADDRESS:PORT DAYS [DEADLINE], got: $*"
  local verdict
  know_pool "$1" "$2"
  verdict=$(python3 "$here/clients.py" "$POOL" "${@:3}")
  receipt_of "$verdict"
}

{
  main "$@"
  exit
}
