#!/usr/bin/env bash
# Retire this host as a node of caches.
# Usage: retire.sh HOST STACK look|leave
#
# `look` prints each cache that has a node on this host. `leave` stops no node: first the node leaves its ring,
# and its entries move.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/lib-retire.sh
. "$here/../lib-retire.sh"

look() {
  local unit
  for unit in $(systemctl list-units --plain --no-legend --state=active 'changeover-memcached-*.service' 2>/dev/null | cut -d' ' -f1); do
    unit=${unit#changeover-memcached-}
    printf '%s\n' "is a node of cache ${unit%.service}: first set it to \`out\` in \`nodes\`"
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
