# Sourced by retire.sh: one pair, or one upgrade, on a host that goes out of service.
# shellcheck shell=bash

# A host that was claimed and never told more has no file, and so no server and no address.
know_pair() {
  PAIR=$1 SERVICE_ADDRESS=none DATA=''
  export CHANGEOVER_COMPONENT=$1
  [[ ! -r /etc/$1/$1.conf ]] || load_pair "$1"
}

# look_at_pair HOST: sets `role`, adds to `reasons`.
look_at_pair() {
  local link
  role=stopped
  [[ -n $DATA ]] || return 0
  know_role
  [[ $role != writer ]] ||
    reasons+=("accepts writes for $PAIR: put the pair back and make the other machine production, or if nobody needs it any more: systemctl stop $UNIT")
  [[ $SERVICE_ADDRESS == none ]] || ! holds_address || {
    link=$(ip -o address show to "$SERVICE_ADDRESS/32")
    [[ $link =~ ^[0-9]+:\ *([^ @]+) ]]
    reasons+=("holds $SERVICE_ADDRESS of $PAIR: ip address delete $SERVICE_ADDRESS/32 dev ${BASH_REMATCH[1]}")
  }
}

# What runs here for pools, caches and volumes is not stopped by this script: whoever takes the host away is told.
look_at_others() {
  local folder name unit
  for folder in "$CHANGEOVER_ROOT"/*/; do
    name=${folder%/} && name=${name##*/}
    [[ ! -e $folder/template ]] || ! systemctl is-active --quiet haproxy 2>/dev/null ||
      reasons+=("balances pool $name: when its addresses are elsewhere: systemctl disable --now haproxy")
    [[ ! -d $folder/staged ]] || ! systemctl is-active --quiet "$name" ||
      reasons+=("runs the application of pool $name: when it is out there: systemctl disable --now $name")
  done
  for unit in $(systemctl list-units --plain --no-legend --state=active 'changeover-memcached-*.service' 2>/dev/null | cut -d' ' -f1); do
    reasons+=("is a node of cache ${unit#changeover-memcached-}: make it \`out\` there first")
  done
  ! systemctl is-active --quiet glusterd || ! pgrep -x glusterfsd >/dev/null ||
    reasons+=("has bricks of a shared volume: take it out of \`servers\` there first")
}

# each_upgrade HOST COMMAND: with the component of the host and the name of each upgrade that it was told of.
each_upgrade() {
  local file
  for file in /etc/changeover/upgrades/*; do
    # With a dot it is what a write that broke off has left.
    [[ -e $file && $file != *.* ]] || continue
    ! is_ours "${file##*/}-$1" || "$2" "${file##*/}-$1" "${file##*/}"
  done
}

look_at_upgrade() {
  local why
  why=$(bash "$SCRIPTS/upgrade/leave.sh" "$1" "$2" look)
  [[ -z $why ]] || reasons+=("$why")
}

# leave_upgrade COMPONENT NAME: adds to `left`.
leave_upgrade() {
  local key path
  for key in folder backup_folder; do
    path=$(value_of "/etc/changeover/upgrades/$2" "$key")
    [[ -z $path || ! -e $path ]] || left+=" $path"
  done
  bash "$SCRIPTS/upgrade/leave.sh" "$1" "$2" >&2
}

remove_units() {
  local file unit
  for file in /etc/systemd/system/changeover-*-"$PAIR".{timer,service}; do
    [[ -e $file ]] || continue
    unit=${file##*/}
    log "removing $unit"
    timeout 60 systemctl disable --quiet --now "$unit" || timed_out "$unit does not stop"
    rm -f "$file"
    systemctl daemon-reload
  done
}

remove_refusal_of_clients() {
  ! nft list table inet "changeover_$PAIR" >/dev/null 2>&1 || nft delete table inet "changeover_$PAIR"
}

# The data is nobody's from now on: a pair that gets this host again refuses it, instead of going on with old data.
# Claim and epoch stay, so that a later one counts on.
mark_retired() {
  local gone
  [[ ! -e $(records)/cluster && -e $(records)/retired ]] ||
    printf 'system_id=%s\nsince=%(%FT%T%z)T\n' "$(value_of "$(records)/cluster" system_id)" -1 | write_file "$(records)/retired"
  for gone in cluster copies making rewinding serving serving.before alone down fence stack; do rm -rf "${CHANGEOVER_ROOT:?}/$PAIR/$gone"; done
}

# retire_pair HOST: adds to `left`.
retire_pair() {
  local -a services
  log "taking $1 out of pair $PAIR"
  exec 9>"$(records)/lock"
  flock -w 60 9 || timed_out "the lock of $PAIR is held by $(cat "$(records)/holder" 2>/dev/null)"
  # It may have begun to serve since it was looked at.
  look_at_pair "$1"
  ((${#reasons[@]} == 0)) || refuse "$1 ${reasons[*]}"
  remove_units
  if [[ -n $DATA ]]; then
    read -ra services <<<"$(services_on '')"
    stop_units "${services[@]}"
    stop_server
    write_file "/etc/$PAIR/$PAIR.status" <<<down
    rm -f "/etc/$PAIR"/{secret,pgpass,rsync.pass,rsync.secrets}
    [[ ! -e $DATA ]] || left+=" $DATA"
  fi
  remove_refusal_of_clients
  rm -rf "/usr/local/sbin/changeover-$PAIR" "/usr/local/lib/changeover/$PAIR"
  mark_retired
  exec 9>&-
}
