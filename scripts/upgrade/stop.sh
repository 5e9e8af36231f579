#!/usr/bin/env bash
# Stop the services of this host, and wait until none runs.
# Usage: stop.sh COMPONENT NAME MINUTES [RECEIPT]
#
# The main host refuses (77) unless the backup of this transition was restored on trial and is not older than MINUTES.
# RECEIPT is what the trial has said, for who reads the step.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/upgrade/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/upgrade/lib-database.sh
. "$here/lib-database.sh"

# Without a supervisor nobody says what runs: what has files of the package in use does.
nothing_runs() {
  local before=$left
  left=$(active_services)
  if [[ -z $left && $(upgrade_py status) == *'"supervisor": false'* ]]; then
    left=$(python3 "$SCRIPTS/gluster/users.py" "$FOLDER" | paste -sd ',')
  fi
  [[ $left == "$before" || -z $left ]] || log "not at rest: $left"
  [[ -z $left ]]
}

require_backup() {
  [[ $MAIN == yes ]] || return 0
  upgrade_py backup "$CHANGEOVER_ID" require "$1" >/dev/null || refuse "$HOSTNAME is not stopped without a way back; $(start_again)"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 3 || $# == 4)) || misuse "stop.sh takes COMPONENT NAME MINUTES [RECEIPT], got: $*"
  local said left=''
  load_upgrade "$1" "$2"
  require_number "$3" minutes
  require_claim
  if [[ -z $(upgrade_py packages found) ]]; then
    receipt "$PACKAGE is not installed on $HOSTNAME, nothing to stop"
    return
  fi
  if nothing_runs; then
    receipt "all services of $HOSTNAME are stopped already"
    return
  fi
  require_backup "$3"
  require_claim
  run_line 3600 stop "$STOP"
  wait_until "all services of $HOSTNAME are stopped" 120 nothing_runs
  receipt "all services of $HOSTNAME are stopped"
}

{
  main "$@"
  exit
}
