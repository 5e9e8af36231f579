#!/usr/bin/env bash
# Stop the services of this host, and wait until none runs.
# Usage: stop.sh COMPONENT NAME MINUTES [RECEIPT]
#
# Refuses (77) while the backup is older than MINUTES: on the main host that of this transition, which must have been restored
# on trial; on others the one that RECEIPT names, which is what the trial has said. A resume may come days later.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/upgrade/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/upgrade/lib-database.sh
. "$here/lib-database.sh"

nothing_runs() {
  local before=$left
  left=$(active_services)
  [[ $left == "$before" || -z $left ]] || log "not at rest: $left"
  [[ -z $left ]]
}

require_backup() {
  local why="$HOSTNAME is not stopped without a way back" made at
  made=$(tail_of "${2:-}" backup)
  if [[ $MAIN == yes ]]; then
    no_database_yet || upgrade_py backup "$CHANGEOVER_ID" require "$1" >/dev/null || refuse "$why; $(start_again)"
  elif [[ $made =~ ^([0-9]{8})T([0-9]{2})([0-9]{2})([0-9]{2})$ ]]; then
    at=$(date -u +%s -d "${BASH_REMATCH[1]} ${BASH_REMATCH[2]}:${BASH_REMATCH[3]}:${BASH_REMATCH[4]}")
    ((EPOCHSECONDS - at < $1 * 60)) ||
      refuse "$why: the backup is $(((EPOCHSECONDS - at) / 60)) min old, allowed are $1; $(start_again)"
  elif [[ -n ${2:-} && $(tail_of "$2" database) != none ]]; then
    refuse "$why: the trial of the backup said \"$2\", allowed is one that ended well; $(start_again)"
  fi
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
  require_backup "$3" "${4:-}"
  require_claim
  # Whatever comes next, from now on it has not been green all the time.
  rm -f "$(records)/green"
  run_line 3600 stop "$STOP"
  wait_until "all services of $HOSTNAME are stopped" 120 nothing_runs
  receipt "all services of $HOSTNAME are stopped"
}

{
  main "$@"
  exit
}
