#!/usr/bin/env bash
# This host as a node of caches, when it goes out of service.
# Usage: retire.sh HOST STACK look|leave
#
# `look` says on stdout which cache still has a node here. A node is not stopped by `leave`: its ring
# leaves it first, and takes its entries along.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/lib-retire.sh
. "$here/../lib-retire.sh"

look() {
  local unit
  for unit in $(systemctl list-units --plain --no-legend --state=active 'changeover-memcached-*.service' 2>/dev/null | cut -d' ' -f1); do
    unit=${unit#changeover-memcached-}
    printf '%s\n' "is a node of cache ${unit%.service}: make it \`out\` there first"
  done
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  know_order "$@"
  [[ $3 == leave ]] || look
}

{
  main "$@"
  exit
}
