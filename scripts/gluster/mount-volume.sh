#!/usr/bin/env bash
# Mount a shared volume on this host, now and after each boot.
# Usage: mount-volume.sh COMPONENT VOLUME PATH OWNER SERVER,SERVER…
#
# Writes a systemd mount unit with _netdev and fallback servers. The first mount writes a marker
# to the volume and gives the volume to OWNER. A mount counts only when it shows the marker.
# Refuses (77) to cover files, to change a mount or a folder that any process uses, and an owner
# whose ids differ from those in the volume.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/gluster/lib-mount.sh
. "$here/lib-mount.sh"

unmount_old_path() {
  local old
  old=$(value_of "$(mount_file)" path)
  [[ -n $old && $old != "$MOUNT" ]] || return 0
  unmount "$old"
  systemctl disable --quiet "$(unit_of "$old")"
  rm -f "/etc/systemd/system/$(unit_of "$old")"
}

refuse_content() {
  local hidden
  [[ ! -e $MOUNT || -d $MOUNT ]] || refuse "$MOUNT on $HOSTNAME is not a folder; move it away"
  [[ -d $MOUNT ]] || return 0
  hidden=$(find "$MOUNT" -mindepth 1 | wc -l)
  ((hidden == 0)) || refuse "$MOUNT on $HOSTNAME has $hidden file(s), which the mount would hide; move them away first"
  refuse_users "$MOUNT"
}

mount_it() {
  local unit
  unit=$(unit_of "$MOUNT")
  answers "$MOUNT" || unmount "$MOUNT"
  ! is_mounted "$MOUNT" || return 0
  refuse_content
  mkdir -p "$MOUNT"
  log "mounting $VOLUME at $MOUNT"
  require_claim
  systemctl start "$unit" ||
    timed_out "$VOLUME is not mounted; see /var/log/glusterfs/mount-$VOLUME.log and journalctl -u '$unit'"
  wait_until "$VOLUME is mounted at $MOUNT" 30 is_mounted "$MOUNT"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 5)) || misuse "mount-volume.sh takes COMPONENT VOLUME PATH OWNER SERVERS, got: $*"
  export CHANGEOVER_COMPONENT=$1
  VOLUME=$2 MOUNT=$3
  require_own_path "$(dirname "$MOUNT")"
  # The timer of the mount check would mount the volume meanwhile.
  systemctl stop --quiet "changeover-mount-check-$VOLUME.timer" 2>/dev/null || true
  unmount_old_path
  write_unit "$5"
  mount_it
  mark "$4"
  systemctl enable --quiet "$(unit_of "$MOUNT")"
  printf 'path=%s\nowner=%s\nservers=%s\nid=%s\n' "$MOUNT" "$4" "$5" "$(marked id)" | write_file "$(mount_file)"
  receipt "$VOLUME is mounted at $MOUNT, owner $(stat -c %U "$MOUNT"),"
}

{
  main "$@"
  exit
}
