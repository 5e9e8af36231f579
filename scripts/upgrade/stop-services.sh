#!/usr/bin/env bash
# Stop the services of this host, and wait until none runs.
# Usage: stop-services.sh COMPONENT NAME MINUTES [RECEIPT]
#
# COMPONENT and NAME are both the name of the upgrade, as in: scalr scalr.
# Refuses (77) if the backup is older than MINUTES: a resume may come days later. The main host checks the backup of this
# transition, which must have passed its trial restore. Other hosts check the backup that RECEIPT, of try-restore.sh, names.

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
  [[ $left == "$before" || -z $left ]] || log "still running: $left"
  [[ -z $left ]]
}

require_backup() {
  local why="services of $HOSTNAME are not stopped without a usable backup" backup at
  backup=$(tail_of "${2:-}" backup)
  if [[ $MAIN == yes ]]; then
    no_database_yet || upgrade_py backup "$CHANGEOVER_ID" require "$1" >/dev/null || refuse "$why; $(start_again)"
  elif [[ $backup =~ ^([0-9]{8})T([0-9]{2})([0-9]{2})([0-9]{2})$ ]]; then
    at=$(date -u +%s -d "${BASH_REMATCH[1]} ${BASH_REMATCH[2]}:${BASH_REMATCH[3]}:${BASH_REMATCH[4]}")
    # The clock of the main host said when. Minutes beside it, this host can't tell an old backup from a new one.
    ((at - EPOCHSECONDS <= 120)) ||
      refuse "$why: by this host's clock the backup is made in $(((at - EPOCHSECONDS) / 60)) min (allowed: 2 min); set the clock; $(start_again)"
    ((EPOCHSECONDS - at < $1 * 60)) ||
      refuse "$why: the backup is $(((EPOCHSECONDS - at) / 60)) min old (allowed: $1 min); $(start_again)"
  elif [[ -n ${2:-} && $(tail_of "$2" database) != none ]]; then
    refuse "$why: the trial restore said \"$2\" (allowed: a backup that passed); $(start_again)"
  fi
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 3 || $# == 4)) || misuse "stop-services.sh takes COMPONENT NAME MINUTES [RECEIPT], got: $*"
  local said left=''
  load_upgrade "$1" "$2"
  require_number "$3" minutes
  require_claim
  if [[ -z $(upgrade_py packages found) ]]; then
    receipt "$PACKAGE is not installed on $HOSTNAME, nothing to stop"
    return
  fi
  if nothing_runs; then
    receipt "all services of $HOSTNAME are already stopped"
    return
  fi
  require_backup "$3" "${4:-}"
  require_claim
  # From here on the version has not passed its checks without a break.
  rm -f "$(records)/green"
  run_line 3600 stop "$STOP"
  wait_until "all services of $HOSTNAME are stopped" 120 nothing_runs
  receipt "all services of $HOSTNAME are stopped"
}

{
  main "$@"
  exit
}
