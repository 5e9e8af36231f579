#!/usr/bin/env bash
# Remove from this host what configure-host.sh installed for an upgrade: its checks, their timers, its settings.
# Usage: leave-upgrade.sh COMPONENT NAME [look]
#
# NAME is the upgrade; COMPONENT is the upgrade's part on this host, as in: scalr-scalr-app1 scalr.
# Refuses (77) while services run: nothing would check them, and the next upgrade would skip them. With `look` it prints
# the running services and how to stop them, and changes nothing. A silence is ended. The package, its data, the backups
# and the record of the database stay.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/upgrade/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/upgrade/lib-database.sh
. "$here/lib-database.sh"

running_services() {
  local running
  running=$(active_services)
  [[ -z $running ]] || printf 'runs services of %s (%s); stop them once nobody needs them: %s\n' "$NAME" "$running" "$STOP"
}

remove_checks() {
  local file unit
  for file in /etc/systemd/system/changeover-upgrade-"$NAME"-{disk,services}.{timer,service}; do
    [[ -e $file ]] || continue
    unit=${file##*/}
    log "removing $unit"
    timeout 150 systemctl disable --quiet --now "$unit" || timed_out "$unit does not stop"
    rm -f "$file"
    systemctl daemon-reload
  done
  rm -f "$(records)"/{disk,services}-check
}

# A host that returns counts as a new one: no step counts as done on it. The settings are removed last, since without them a
# second run has nothing to do.
forget() {
  [[ ! -e $(database_record) ]] || note id=
  rm -rf "$CHANGEOVER_ROOT"/{"$NAME","$CHANGEOVER_COMPONENT"}/{claim,done,stack}
  rm -f "$UPGRADES/$NAME"
  ! rmdir "$UPGRADES" 2>/dev/null || rm -rf /usr/local/lib/changeover/upgrades
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 2 || ($# -eq 3 && $3 == look) ]] || misuse "leave-upgrade.sh takes COMPONENT NAME [look], got: $*"
  local why
  load_upgrade "$1" "$2"
  if [[ ${3:-} == look ]]; then
    running_services
    return
  fi
  install -d -m 0755 "$(facts)"
  exec 9>"$(facts)/lock"
  flock -w 60 9 || timed_out "the lock of $NAME is held by $(cat "$(facts)/holder" 2>/dev/null)"
  why=$(running_services)
  [[ -z $why ]] || refuse "$HOSTNAME $why"
  bash "$here/silence-alerts.sh" "$NAME" "$NAME" off >&2
  remove_checks
  forget
  receipt "$HOSTNAME has left upgrade $NAME"
}

{
  main "$@"
  exit
}
