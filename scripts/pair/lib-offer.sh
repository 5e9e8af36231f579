# Sourced by configure.sh and configure-carried.sh: rsync daemons, and the timer of the copies.
# shellcheck shell=bash

offered_ports() { carried '' | sed -nE 's/^(rsync_port|indexes\..*\.rsyncPort)=//p' | sort -nu; }

# offer NAME PATH: print a module of rsync.
offer() { printf '[%s]\npath = %s\n' "$1" "$2"; }

modules_on() {
  local line name
  [[ $(carried rsync_port=) != "$1" ]] || while IFS='=' read -r name line; do offer "$name" "$line"; done < <(carried directories.)
  while IFS='=' read -r name line; do
    [[ $line != "$1" ]] || offer "${name%.rsyncPort}" "$(carried "indexes.${name%.rsyncPort}.data=")"
  done < <(carried indexes. | grep '\.rsyncPort=')
}

daemon_conf() {
  printf '%s\n' "port = $1" "address = $SELF_ADDRESS" 'use chroot = yes' 'uid = root' 'gid = root' 'read only = yes' \
    'list = no' "hosts allow = $PEER_ADDRESS" 'auth users = changeover' "secrets file = /etc/$PAIR/rsync.secrets" \
    'strict modes = yes' 'timeout = 60' \
    'dont compress = *'
  modules_on "$1"
}

unit_of() { printf 'changeover-rsync-%s-%s.service' "$1" "$PAIR"; }

# start_daemon PORT: restarts the daemon only when its file has changed.
start_daemon() {
  local conf=/etc/$PAIR/rsyncd-$1.conf
  daemon_conf "$1" | write_file "$conf.wanted"
  printf '%s\n' '[Unit]' "Description=Offers files of pair $PAIR to its other machine (Changeover)" 'After=network-online.target' \
    'Wants=network-online.target' 'StartLimitIntervalSec=0' '[Service]' "ExecStart=/usr/bin/rsync --daemon --no-detach --config=$conf" \
    'Restart=always' 'RestartSec=1' '[Install]' 'WantedBy=multi-user.target' | write_file "/etc/systemd/system/$(unit_of "$1")"
  systemctl daemon-reload
  systemctl enable --quiet "$(unit_of "$1")"
  if ! cmp -s "$conf.wanted" "$conf"; then
    mv "$conf.wanted" "$conf"
    timeout 30 systemctl restart "$(unit_of "$1")" || timed_out "$(unit_of "$1") does not start within 30 s"
  else rm "$conf.wanted"; fi
  systemctl start "$(unit_of "$1")"
}

offer_all() {
  local port name
  local -a ports
  # The daemon rejects a folder that does not exist.
  while IFS='=' read -r _ name; do python3 -I "$SCRIPTS/pair/confine.py" "$name" none none true || exit "$?"; done < <(carried directories.)
  mapfile -t ports < <(offered_ports)
  for port in "${ports[@]}"; do start_daemon "$port"; done
}

# Remove daemons and the timer that the file no longer needs, also on a machine that carries nothing now.
offer_no_more() {
  local unit name
  local -a ports
  mapfile -t ports < <(offered_ports)
  [[ -n $(carried copy_at=) ]] || set_timer
  for unit in /etc/systemd/system/changeover-rsync-*-"$PAIR".service; do
    name=${unit##*/changeover-rsync-} && name=${name%-"$PAIR".service}
    [[ ! -e $unit || " ${ports[*]} " == *" $name "* ]] || { systemctl disable --quiet --now "${unit##*/}" && rm -f "$unit"; }
  done
}

# Set the timer of the copies; a machine that copies nothing has none.
set_timer() {
  local name=changeover-sync-$PAIR at
  at=$(carried copy_at=)
  if [[ -z $at ]]; then
    [[ ! -e /etc/systemd/system/$name.timer ]] || systemctl disable --quiet --now "$name.timer"
    return 0
  fi
  systemd-analyze calendar "$at" >/dev/null 2>&1 ||
    refuse "copyAt \"$at\" is not a calendar event of systemd; allowed: what \`systemd-analyze calendar\` accepts, such as *:0/15"
  printf '%s\n' '[Unit]' "Description=Copies what production of pair $PAIR carries (Changeover)" '[Service]' 'Type=oneshot' \
    "ExecStart=/bin/bash /usr/local/lib/changeover/$PAIR/pair/sync.sh $PAIR" 'KillMode=control-group' | write_file "/etc/systemd/system/$name.service"
  printf '%s\n' '[Unit]' "Description=When the standby of pair $PAIR copies (Changeover)" '[Timer]' "OnCalendar=$at" 'AccuracySec=1s' \
    '[Install]' 'WantedBy=timers.target' | write_file "/etc/systemd/system/$name.timer"
  systemctl daemon-reload
  systemctl enable --quiet --now "$name.timer"
  systemctl restart "$name.timer"
}
