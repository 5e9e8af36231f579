#!/usr/bin/env bash
# Reconfigure this host for the installed version, and start its services.
# Usage: reconfigure-host.sh COMPONENT NAME VERSION [SECONDS]
#
# COMPONENT and NAME are both the name of the upgrade, as in: scalr scalr.
# On the main host this migrates the database. That is recorded before it begins: from then on, going back needs a backup.
# SECONDS limits the reconfigure; without it a day, since the deadline of its step is shorter.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/upgrade/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/upgrade/lib-database.sh
. "$here/lib-database.sh"

# The backup to go back to is the one from before the version changed, also when this script runs again.
note_begin() {
  local key known='' backup
  [[ $MAIN == yes ]] || return 0
  for key in found version begun; do known=$(value_of "$(database_record)" "$key" | grep . || printf '%s' "$known"); done
  backup=$(value_of "$(database_record)" backup)
  if [[ -n $known && $known != "$1" ]] && ! no_database_yet; then
    # A rebooted machine has started its services: no backup has what they wrote since.
    require_stopped_but_database
    backup=$(upgrade_py backup "$CHANGEOVER_ID" require 999999) ||
      refuse "the database of $HOSTNAME belongs to $known, and is not migrated without a usable backup; $(start_again)"
  fi
  note id= "begun=$1" "backup=$backup"
}

services_down() { [[ -n $(upgrade_py status missing) ]]; }

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 3 || $# == 4)) || misuse "reconfigure-host.sh takes COMPONENT NAME VERSION [SECONDS], got: $*"
  local said found seconds=${4:-86400}
  load_upgrade "$1" "$2"
  require_version "$3"
  require_number "$seconds" seconds
  require_claim
  found=$(installed_version)
  [[ $found == "$3" ]] || refuse "$HOSTNAME has $PACKAGE ${found:-not installed} (allowed: $3); install it: upgrade/install-package.sh"
  [[ $MAIN != yes ]] || upgrade_py restore "$3" plan none >&2
  if [[ $(value_of "$(database_record)" id) == "$CHANGEOVER_ID" && $(value_of "$(database_record)" version) == "$3" ]]; then
    receipt "$HOSTNAME is already reconfigured to $3"
    return
  fi
  require_claim
  note_begin "$3"
  run_line "$seconds" reconfigure "$RECONFIGURE"
  # From here on the database has data that could be lost.
  [[ $MAIN != yes ]] || note fresh=
  if [[ -n $START ]] && services_down; then run_line 300 start "$START"; fi
  note "version=$3" begun= found= fresh= "id=$CHANGEOVER_ID"
  receipt "$HOSTNAME is reconfigured to $3"
}

{
  main "$@"
  exit
}
