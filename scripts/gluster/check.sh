#!/usr/bin/env bash
# Check the mount of a shared volume by a timer; the state is left in a file and in the journal.
# Usage: check.sh COMPONENT VOLUME SECONDS
#
# The plugin is /usr/local/lib/changeover/mounts/mount-check.py, the file
# /var/lib/changeover/COMPONENT/check. A mount that failed at the start of the machine, when no
# server was up yet, is mounted by the same timer. Ends with 75 while the check is not OK.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/gluster/lib-mount.sh
. "$here/lib-mount.sh"

readonly plugin=/usr/local/lib/changeover/mounts/mount-check.py

service_text() {
  cat <<EOF
[Unit]
Description=Whether the shared volume $VOLUME is mounted

[Service]
Type=oneshot
ExecStartPre=-/bin/systemctl --no-block start $1
ExecStart=/usr/bin/python3 $plugin $VOLUME --state $(records)/check
SuccessExitStatus=1 2 3
TimeoutStartSec=120
EOF
}

timer_text() {
  cat <<EOF
[Unit]
Description=When the mount of the shared volume $VOLUME is checked

[Timer]
OnBootSec=20
OnUnitActiveSec=$1
AccuracySec=1

[Install]
WantedBy=timers.target
EOF
}

# A server that is away is a matter of the volume: the mount itself is there.
is_ok() {
  seen=$(python3 "$plugin" "$VOLUME" --state "$(records)/check") || [[ $seen == 'MOUNT WARNING'* ]]
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 3)) || misuse "check.sh takes COMPONENT VOLUME SECONDS, got: $*"
  export CHANGEOVER_COMPONENT=$1
  VOLUME=$2
  local path unit=changeover-mount-check-$VOLUME
  path=$(value_of "$(mount_file)" path)
  write_file "$plugin" 0755 <"$here/mount-check.py"
  service_text "$(unit_of "$path")" | write_file "/etc/systemd/system/$unit.service"
  timer_text "$3" | write_file "/etc/systemd/system/$unit.timer"
  systemctl daemon-reload
  systemctl enable --quiet "$unit.timer"
  systemctl restart "$unit.timer"
  wait_until "the check of $VOLUME on $HOSTNAME is good" 30 is_ok
  receipt "$seen, checked every $3 s,"
}

{
  main "$@"
  exit
}
