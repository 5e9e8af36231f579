#!/usr/bin/env bash
# Take away from this host what configure.sh has put there for an upgrade: its checks with their timers, its settings.
# Usage: leave.sh COMPONENT NAME [look]
#
# Refuses (77) while services run: nobody would watch them any more, and the next upgrade would leave them behind. With `look` it
# says so on stdout, and nothing when there are none. A silence is ended. The package, its data, the backups and what
# the database was brought to stay.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/upgrade/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/upgrade/lib-database.sh
. "$here/lib-database.sh"

what_runs() {
  local running
  running=$(active_services)
  [[ -z $running ]] || printf 'runs services of %s (%s): when nobody needs them any more: %s\n' "$NAME" "$running" "$STOP"
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

# A host that comes back is one that is added: nothing is done on it, also by an upgrade that the others have ended. The
# settings go last: without them there is nothing to do.
forget() {
  [[ ! -e $(database_record) ]] || note id=
  rm -rf "$CHANGEOVER_ROOT"/{"$NAME","$CHANGEOVER_COMPONENT"}/{claim,done,stack}
  rm -f "$UPGRADES/$NAME"
  ! rmdir "$UPGRADES" 2>/dev/null || rm -rf /usr/local/lib/changeover/upgrades
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 2 || ($# -eq 3 && $3 == look) ]] || misuse "leave.sh takes COMPONENT NAME [look], got: $*"
  local why
  load_upgrade "$1" "$2"
  if [[ ${3:-} == look ]]; then
    what_runs
    return
  fi
  install -d -m 0755 "$(facts)"
  exec 9>"$(facts)/lock"
  flock -w 60 9 || timed_out "the lock of $NAME is held by $(cat "$(facts)/holder" 2>/dev/null)"
  why=$(what_runs)
  [[ -z $why ]] || refuse "$HOSTNAME $why"
  bash "$here/silence.sh" "$NAME" "$NAME" off >&2
  remove_checks
  forget
  receipt "$HOSTNAME is no host of $NAME any more"
}

{
  main "$@"
  exit
}
