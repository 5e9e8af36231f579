#!/usr/bin/env bash
# Write down since when a version runs with all checks passed.
# Usage: green.sh COMPONENT NAME VERSION
#
# Other stacks are told by the tail of the receipt: a version that was green before, and has been all the time,
# keeps its time.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 3)) || misuse "green.sh takes COMPONENT NAME VERSION, got: $*"
  export CHANGEOVER_COMPONENT=$1
  local file since
  file=$(records)/green
  since=$(value_of "$file" since)
  if [[ $(value_of "$file" version) != "$3" || -z $since ]]; then
    require_claim
    since=$(TZ=UTC printf '%(%FT%TZ)T' -1)
    printf 'version=%s\nsince=%s\n' "$3" "$since" | write_file "$file"
  fi
  tail_add version "$3" since "$since"
  receipt "$3 is green since $since"
}

{
  main "$@"
  exit
}
