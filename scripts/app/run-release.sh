#!/usr/bin/env bash
# Run a staged release on this server, and report whether it becomes ready.
# Usage: run-release.sh COMPONENT POOL REVISION SECONDS
#
# Records the previous release, switches `current`, restarts the unit, and asks the application at
# its private address for at most SECONDS. The receipt's tail is verdict=good, or verdict=bad with
# why=…; both end with 0. A release that runs and is ready is not restarted.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/app/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/app/lib-release.sh
. "$here/lib-release.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 4)) || misuse "run-release.sh takes COMPONENT POOL REVISION SECONDS, got: $*"
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
    receipt "$HOSTNAME runs $revision and is ready, good"
  else
    tail_add verdict bad why "$why"
    receipt "$HOSTNAME bad: $why"
  fi
}

{
  main "$@"
  exit
}
