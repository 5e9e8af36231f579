# Sourced by configure-host.sh: its arguments, and the host's checks with their timers.
# shellcheck shell=bash

readonly needed=(package role folder status stop reconfigure supervisor)
readonly needed_on_main=(dump client credentials backup_folder)
readonly check_seconds=60

# take KEY=VALUE: into `settings`.
take() {
  local key=${1%%=*} value=${1#*=}
  [[ $1 == *=* && ! $value =~ [[:cntrl:]] ]] || misuse "\"$key\" is not KEY=VALUE on one line"
  [[ " ${KEYS[*]} " == *" $key "* ]] || misuse "\"$key\" is not a setting; allowed: ${KEYS[*]}"
  # shellcheck disable=SC2004
  settings[$key]=$value
}

check_settings() {
  local key
  local -a required=("${needed[@]}")
  [[ ${settings[main]} =~ ^(yes|no)$ ]] || misuse "main=${settings[main]}; allowed: yes, no"
  [[ ${settings[kind]} =~ ^(auto|deb|rpm)$ ]] || misuse "kind=${settings[kind]}; allowed: auto, deb, rpm"
  [[ ${settings[package]:-} =~ ^[a-zA-Z0-9][a-zA-Z0-9.+_-]*$ ]] ||
    misuse "package=${settings[package]:-} is not a package name; allowed: letters, digits and . + _ -"
  for key in disk_percent keep database_seconds; do require_number "${settings[$key]}" "$key"; done
  [[ ${settings[main]} == no ]] || required+=("${needed_on_main[@]}")
  for key in "${required[@]}"; do [[ -n ${settings[$key]:-} ]] || misuse "setting $key is missing"; done
  for key in folder backup_folder; do
    [[ -z ${settings[$key]:-} || ${settings[$key]} == /?* ]] || misuse "$key=${settings[$key]} is not an absolute path"
  done
}

check_service_text() {
  cat <<END
[Unit]
Description=Check of $2 on this host of $NAME

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
Description=Timer for the check of $2 on this host of $NAME

[Timer]
OnActiveSec=1
OnUnitActiveSec=$1
AccuracySec=1

[Install]
WantedBy=timers.target
END
}

# install_checks FOLDER SECONDS: the checks with the modules that they import, so that they outlive a folder of scripts. An
# older release called monitoring.py plugin.py, and left it there.
install_checks() {
  local what unit
  write_file "$1/records.py" <"$SCRIPTS/records.py"
  for what in host.py status.py disk.py monitoring.py; do write_file "$1/$what" <"$here/$what"; done
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
