# Sourced by configure.sh: the words it takes, and the standing checks of a host, by timers.
# shellcheck shell=bash

readonly needed=(package role folder status stop reconfigure supervisor)
readonly needed_on_main=(dump client credentials backup_folder)

# take KEY=VALUE: into `told`.
take() {
  local key=${1%%=*} value=${1#*=}
  [[ $1 == *=* && ! $value =~ [[:cntrl:]] ]] || misuse "\"$key\" is not KEY=VALUE on one line"
  [[ " ${KEYS[*]} " == *" $key "* ]] || misuse "$key is none of ${KEYS[*]}"
  # shellcheck disable=SC2004
  told[$key]=$value
}

check_told() {
  local key
  local -a all=("${needed[@]}")
  [[ ${told[main]} =~ ^(yes|no)$ ]] || misuse "main=${told[main]}; allowed are yes and no"
  [[ ${told[kind]} =~ ^(auto|deb|rpm)$ ]] || misuse "kind=${told[kind]}; allowed are auto, deb and rpm"
  [[ ${told[package]:-} =~ ^[a-zA-Z0-9][a-zA-Z0-9.+_-]*$ ]] || misuse "package=${told[package]:-} is no name of a package"
  for key in disk_percent keep database_seconds; do require_number "${told[$key]}" "$key"; done
  [[ ${told[main]} == no ]] || all+=("${needed_on_main[@]}")
  for key in "${all[@]}"; do [[ -n ${told[$key]:-} ]] || misuse "configure.sh was not told $key"; done
  for key in folder backup_folder; do
    [[ -z ${told[$key]:-} || ${told[$key]} == /?* ]] || misuse "$key=${told[$key]} is no absolute path"
  done
}

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
