#!/usr/bin/env bash
# Whether a volume is whole: every brick online, nothing to heal, nothing in split brain.
# Usage: health.sh COMPONENT SECONDS VOLUME
#
# Read-only. Waits up to SECONDS for what is healing; refuses (77) split brain with the list.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 3)) || misuse "health.sh takes COMPONENT SECONDS VOLUME, got: $*"
  export CHANGEOVER_COMPONENT=$1
  local said
  said=$(python3 "$here/health.py" "$2" "$3")
  receipt "$said"
}

{
  main "$@"
  exit
}
