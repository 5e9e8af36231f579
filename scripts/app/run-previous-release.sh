#!/usr/bin/env bash
# Run the release again that ran on this server before REVISION came with this transition.
# Usage: run-previous-release.sh COMPONENT POOL REVISION SECONDS
#
# Does nothing if REVISION did not come with this transition. Ends with 75 if the previous release
# is not ready within SECONDS: then both releases fail, and a person must look.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/app/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/app/lib-release.sh
. "$here/lib-release.sh"

# Before its first release a server runs nothing.
run_nothing() {
  require_claim
  log "stopping $UNIT"
  timeout 60 systemctl stop "$UNIT" || timed_out "$UNIT does not stop within 60 s"
  rm -f "$FOLDER/current"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 4)) || misuse "run-previous-release.sh takes COMPONENT POOL REVISION SECONDS, got: $*"
  local before old why=''
  load_pool "$1" "$2"
  require_seconds "$4"
  before=$(records)/before
  old=$(value_of "$before" revision)
  if [[ $(value_of "$before" id) != "$CHANGEOVER_ID" || $old == "$3" ]]; then
    receipt "$3 did not come to $HOSTNAME with this transition, nothing done"
  elif [[ -z $old ]]; then
    run_nothing
    receipt "$HOSTNAME runs no release, as before"
  else
    [[ -d $FOLDER/releases/$old ]] || refuse "previous release $old is missing on $HOSTNAME; stage it with app/stage-release.sh"
    require_claim
    switch_to "$old"
    get_ready "$old" "$4" || timed_out "previous release $old does not become ready on $HOSTNAME: $why"
    receipt "$HOSTNAME runs $old again"
  fi
}

{
  main "$@"
  exit
}
