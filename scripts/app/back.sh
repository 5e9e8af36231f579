#!/usr/bin/env bash
# Go back to what ran on this machine before a release came by this transition.
# Usage: back.sh COMPONENT POOL REVISION SECONDS
#
# Does nothing when REVISION did not come by it. Ends with 75 when the old release does not get
# ready within SECONDS: then neither runs well, and a person must look.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/app/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/app/lib-release.sh
. "$here/lib-release.sh"

# Before the first release nothing ran.
run_nothing() {
  require_claim
  log "stopping $UNIT"
  timeout 60 systemctl stop "$UNIT" || timed_out "$UNIT does not stop"
  rm -f "$FOLDER/current"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 4)) || misuse "back.sh takes COMPONENT POOL REVISION SECONDS, got: $*"
  local before old why=''
  load_pool "$1" "$2"
  require_seconds "$4"
  before=$(records)/before
  old=$(value_of "$before" revision)
  if [[ $(value_of "$before" id) != "$CHANGEOVER_ID" || $old == "$3" ]]; then
    receipt "$3 did not come to $HOSTNAME by this transition, nothing done"
  elif [[ -z $old ]]; then
    run_nothing
    receipt "$HOSTNAME runs nothing, as before"
  else
    [[ -d $FOLDER/releases/$old ]] || refuse "release $old, which ran before, is gone from $HOSTNAME; stage it: app/stage.sh"
    require_claim
    switch_to "$old"
    get_ready "$old" "$4" || timed_out "$old, which ran before, is not ready again: $why"
    receipt "$HOSTNAME runs $old again"
  fi
}

{
  main "$@"
  exit
}
