#!/usr/bin/env bash
# Require that a volume is healthy: every brick online, nothing to heal, no file in split brain.
# Usage: require-healthy.sh COMPONENT SECONDS VOLUME
#
# Read-only. Waits up to SECONDS while files heal. Refuses (77) split brain, and lists the files.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 3)) || misuse "require-healthy.sh takes COMPONENT SECONDS VOLUME, got: $*"
  export CHANGEOVER_COMPONENT=$1
  local said
  said=$(python3 -I "$here/require-healthy.py" "$2" "$3")
  receipt "$said"
}

{
  main "$@"
  exit
}
