#!/usr/bin/env bash
# Record the time since which VERSION has passed all checks ("green").
# Usage: record-green.sh COMPONENT NAME VERSION
#
# COMPONENT and NAME are both the name of the upgrade, as in: scalr scalr.
# A version that stayed green keeps its time. The receipt's tail carries version and time to other stacks.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 3)) || misuse "record-green.sh takes COMPONENT NAME VERSION, got: $*"
  export CHANGEOVER_COMPONENT=$1
  local file since
  file=$(records)/green
  since=$(value_of "$file" since)
  if [[ $(value_of "$file" version) != "$3" || -z $since ]]; then
    require_claim
    since=$(TZ=UTC printf '%(%FT%TZ)T' -1)
    printf 'version=%s\nsince=%s\n' "$3" "$since" | write_file "$file" || timed_out "$3 is not noted as green on $HOSTNAME; make room and run again"
  fi
  tail_add version "$3" since "$since"
  receipt "$3 has passed all checks since $since"
}

{
  main "$@"
  exit
}
