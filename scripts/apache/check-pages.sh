#!/usr/bin/env bash
# Ask every address that Apache serves for the site's first page, as a user does. Read-only.
# Usage: check-pages.sh COMPONENT POOL
#
# Ends with 75 unless each address answers within 30 s with a status below 500 and without the marker
# of the maintenance page.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/apache/lib.sh
. "$here/lib.sh"

answers() {
  local bind
  for bind in "${binds[@]}"; do python3 "$here/page.py" "$bind" "$site" || return 1; done
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 2)) || misuse "check-pages.sh takes COMPONENT POOL, got: $*"
  local -a binds
  local site
  know_apache "$1" "$2"
  mapfile -t binds <"$CHANGEOVER_ROOT/$POOL/apache/binds"
  # shellcheck disable=SC2154
  site=$(sed -n 's/^ *ServerName //p' "$conf")
  wait_until "${binds[*]} answer with a page of the application" 30 answers
  receipt "${binds[*]} answer with a page of the application"
}

{
  main "$@"
  exit
}
