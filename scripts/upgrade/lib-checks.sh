# Sourced by configure.sh: the standing checks of a host, by timers.
# shellcheck shell=bash

check_service_text() {
  cat <<END
[Unit]
Description=Whether $2 on this host of $NAME is as it should be

[Service]
Type=oneshot
ExecStartPre=-/usr/bin/python3 $1/silence-end.py $NAME
ExecStart=/usr/bin/python3 $1/$2-check.py $NAME --state $(records)/$2-check
SuccessExitStatus=1 2 3
TimeoutStartSec=120
END
}

check_timer_text() {
  cat <<END
[Unit]
Description=When $2 on this host of $NAME is checked

[Timer]
OnActiveSec=1
OnUnitActiveSec=$1
AccuracySec=1

[Install]
WantedBy=timers.target
END
}

# install_checks FOLDER SECONDS: the plugins with what they need, so that they outlive a folder of scripts.
install_checks() {
  local what unit
  write_file "$1/records.py" <"$SCRIPTS/records.py"
  for what in host.py status.py disk.py plugin.py; do write_file "$1/$what" <"$here/$what"; done
  for what in disk-check.py services-check.py silence-end.py; do write_file "$1/$what" 0755 <"$here/$what"; done
  for what in disk services; do
    unit=changeover-upgrade-$NAME-$what
    check_service_text "$1" "$what" | write_file "/etc/systemd/system/$unit.service"
    check_timer_text "$2" "$what" | write_file "/etc/systemd/system/$unit.timer"
  done
  systemctl daemon-reload
  for what in disk services; do
    systemctl enable --quiet "changeover-upgrade-$NAME-$what.timer"
    systemctl restart "changeover-upgrade-$NAME-$what.timer"
  done
}
