#!/usr/bin/env bash
# Unmount a shared volume on this host.
# Usage: unmount-volume.sh COMPONENT VOLUME
#
# Removes the unit of the mount and the timer of its check. The empty folder stays. Refuses (77)
# while any process uses the mount.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/gluster/lib-mount.sh
. "$here/lib-mount.sh"

# systemctl fails when it cancels a start that the check's timer has just requested.
stopped() { systemctl stop --quiet "$1" 2>/dev/null; }

remove_unit() {
  [[ -e /etc/systemd/system/$1 ]] || return 0
  log "removing $1"
  systemctl disable --quiet "$1"
  wait_until "$1 is stopped" 60 stopped "$1"
  rm -f "/etc/systemd/system/$1"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 2)) || misuse "unmount-volume.sh takes COMPONENT VOLUME, got: $*"
  export CHANGEOVER_COMPONENT=$1
  VOLUME=$2
  local path
  path=$(value_of "$(mount_file)" path)
  if [[ -n $path ]]; then
    ! is_mounted "$path" || refuse_users "$path"
    remove_unit "changeover-mount-check-$VOLUME.timer"
    unmount "$path"
    remove_unit "$(unit_of "$path")"
    rm -f "/etc/systemd/system/changeover-mount-check-$VOLUME.service" "$(mount_file)" "$(records)/check"
    systemctl daemon-reload
  fi
  receipt "$VOLUME is not mounted on $HOSTNAME"
}

{
  main "$@"
  exit
}
