#!/usr/bin/env bash
# Check the mount of a shared volume every SECONDS, by a timer.
# Usage: schedule-check.sh COMPONENT VOLUME SECONDS
#
# The check is /usr/local/lib/changeover/mounts/mount-check.py. Its result is in the journal and
# in /var/lib/changeover/COMPONENT/check. The same timer mounts a volume that failed to mount at
# boot, when no server answered yet, or whose process has died. Ends with 75 while the check is not OK.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/gluster/lib-mount.sh
. "$here/lib-mount.sh"

readonly plugin=/usr/local/lib/changeover/mounts/mount-check.py

service_text() {
  cat <<EOF
[Unit]
Description=Check the mount of shared volume $VOLUME

[Service]
Type=oneshot
ExecStartPre=-/usr/bin/python3 -I ${plugin%/*}/drop-dead-mount.py $VOLUME
ExecStartPre=-/bin/systemctl --no-block start $1
ExecStart=/usr/bin/python3 -I $plugin $VOLUME --state $(records)/check
SuccessExitStatus=1 2 3
TimeoutStartSec=120
EOF
}

timer_text() {
  cat <<EOF
[Unit]
Description=Timer of the mount check of shared volume $VOLUME

[Timer]
OnBootSec=20
OnUnitActiveSec=$1
AccuracySec=1

[Install]
WantedBy=timers.target
EOF
}

# A warning is good enough: a missing server is the volume's problem, and the mount itself works.
is_ok() {
  state=$(python3 -I "$plugin" "$VOLUME" --state "$(records)/check") || [[ $state == 'MOUNT WARNING'* ]]
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 3)) || misuse "schedule-check.sh takes COMPONENT VOLUME SECONDS, got: $*"
  export CHANGEOVER_COMPONENT=$1
  VOLUME=$2
  local path unit=changeover-mount-check-$VOLUME
  path=$(value_of "$(mount_file)" path)
  write_file "${plugin%/*}/marker.py" 0755 <"$here/marker.py"
  write_file "${plugin%/*}/drop-dead-mount.py" 0755 <"$here/drop-dead-mount.py"
  write_file "$plugin" 0755 <"$here/mount-check.py"
  service_text "$(unit_of "$path")" | write_file "/etc/systemd/system/$unit.service"
  timer_text "$3" | write_file "/etc/systemd/system/$unit.timer"
  systemctl daemon-reload
  systemctl enable --quiet "$unit.timer"
  systemctl restart "$unit.timer"
  wait_until "the mount check of $VOLUME on $HOSTNAME is OK" 30 is_ok
  receipt "$state, checked every $3 s,"
}

{
  main "$@"
  exit
}
