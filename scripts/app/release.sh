#!/usr/bin/env bash
# Run a staged release on this machine, and say whether it gets ready.
# Usage: release.sh COMPONENT POOL REVISION SECONDS
#
# Remembers what ran before this transition, switches `current`, restarts the unit, and asks the
# application at its private address for at most SECONDS. The receipt's tail says verdict=good,
# or verdict=bad and why; both end with 0. A release that runs and is ready is not restarted.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/app/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/app/lib-release.sh
. "$here/lib-release.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 4)) || misuse "release.sh takes COMPONENT POOL REVISION SECONDS, got: $*"
  local revision=$3 why=''
  load_pool "$1" "$2"
  require_revision "$revision"
  require_seconds "$4"
  require_whole "$revision"
  link_shared "$FOLDER/releases/$revision" found
  remember_before
  require_claim
  switch_to "$revision"
  if get_ready "$revision" "$4"; then
    tail_add verdict good
    receipt "$HOSTNAME runs $revision, good"
  else
    tail_add verdict bad why "$why"
    receipt "$HOSTNAME bad: $why"
  fi
}

{
  main "$@"
  exit
}
