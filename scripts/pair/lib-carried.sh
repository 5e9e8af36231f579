# Sourced by the scripts for files, indexes and services that a pair carries besides its database: /etc/PAIR/carries.
# shellcheck shell=bash

# write_carries PAIR key=value…: write the words that begin with `carries.` to the file, one a line.
write_carries() {
  local word
  for word in "${@:2}"; do [[ $word != carries.* ]] || printf '%s\n' "${word#carries.}"; done |
    sort | write_file "/etc/$1/carries"
}

# carried PREFIX: the lines that begin with PREFIX, without PREFIX.
carried() { sed -n "s/^${1//./\\.}//p" "/etc/$PAIR/carries" 2>/dev/null || true; }
carries() { [[ -n $(carried "$1") ]]; }
has_files() { carries directories. || carries indexes.; }
is_snapshot() { [[ $(carried replication=) == snapshot ]]; }

# services_on production|both|'': units of the services with this `on`; '' for all services.
services_on() {
  local line name
  while read -r line; do
    name=${line%%.units=*}
    [[ -z $1 || $(carried "services.$name.on=") == "$1" ]] || continue
    printf '%s\n' "${line#*.units=}"
  done < <(carried services. | grep '\.units=') | tr '\n' ' '
}

# start_units UNIT…: units are never enabled. A role starts them, so a booting machine runs none before its role is known.
start_units() {
  (($#)) || return 0
  log "starting $*"
  timeout 120 systemctl start "$@" || timed_out "some of these units do not start on $SELF within 120 s: $*; see: journalctl -u ${1}"
}

# stop_units UNIT…: a unit that hangs is killed, since users wait. A unit that is not installed counts as stopped.
stop_units() {
  (($#)) || return 0
  log "stopping $*"
  timeout 20 systemctl stop "$@" || systemctl kill --signal=KILL "$@" || true
  timeout 10 systemctl stop "$@" || are_stopped "$@" || timed_out "some of these units do not stop on $SELF: $*"
}
are_stopped() { [[ ! $'\n'$(systemctl is-active "$@")$'\n' =~ $'\n'(active|reloading|activating|deactivating)$'\n' ]]; }

# stop_left_out PAIR key=value…: stop the units that are in the file and no longer in these words.
stop_left_out() {
  local word wanted=' '
  local -a had removed=()
  for word in "${@:2}"; do [[ $word != carries.services.*.units=* ]] || wanted+="${word#*=} "; done
  read -ra had <<<"$(PAIR=$1 services_on '')"
  for word in "${had[@]}"; do [[ $wanted == *" $word "* ]] || removed+=("$word"); done
  stop_units "${removed[@]}"
}

# Require that every unit is installed, and disable those that the boot would start before the role is known.
own_units() {
  local unit
  for unit in $(services_on ''); do
    [[ $(systemctl show -P LoadState "$unit") == loaded ]] ||
      refuse "$SELF has no unit $unit; install it, by \`software\` or by hand, or remove it from services"
    [[ $(systemctl is-enabled "$unit" 2>/dev/null) != enabled* ]] || { log "disabling $unit: the role starts it, not the boot" && systemctl disable --quiet "$unit"; }
  done
}

listens() { (: <>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# await_ports production|standby: wait until the ports of this role's services answer; a unit is active before that.
await_ports() {
  local line name port
  while IFS='=' read -r name line; do
    [[ $1 == production || $(carried "services.${name%.ports}.on=") == both ]] || continue
    for port in $line; do wait_until "port $port of ${name%.ports} answers on $SELF" 60 listens "$port"; done
  done < <(carried services. | grep '\.ports=')
}

# run_role production|standby: start the services of this role, and stop those of the other role.
run_role() {
  local -a both only
  read -ra both <<<"$(services_on both)"
  read -ra only <<<"$(services_on production)"
  if [[ $1 == production ]]; then start_units "${both[@]}" "${only[@]}"; else
    stop_units "${only[@]}"
    start_units "${both[@]}"
  fi
  await_ports "$1"
}
stop_production_services() {
  local -a only
  read -ra only <<<"$(services_on production)"
  stop_units "${only[@]}"
}

# Let a paused standby stream again, at once if its server runs, else from its next start.
resume_streaming() {
  [[ -e $PAUSED ]] || return 0
  as_postgres rm -f "$PAUSED"
  ! is_running || reload_server
}

# Stop a copy that the timer began, and wait for a copy that a person began. While the transition is open no copy begins.
stop_copies() {
  [[ ! -e /etc/systemd/system/changeover-sync-$PAIR.service ]] || timeout 30 systemctl stop "changeover-sync-$PAIR.service" 2>/dev/null ||
    timed_out "changeover-sync-$PAIR.service on $SELF does not stop within 30 s"
  exec 8>>"$(records)/sync.lock"
  flock -w 30 8 || timed_out "sync.sh still runs on $SELF after 30 s, started by hand; wait for it, or end it"
  exec 8>&-
}

# give_up_transition WHAT: WHAT is put back, so no step of this transition acts on this machine from now on.
# On a full disk the claim itself becomes the record: a rename needs no room.
give_up_transition() {
  write_file "$(records)/expired/$CHANGEOVER_ID" <<<"$1" || mv -f "$(records)/claim" "$(records)/expired/$CHANGEOVER_ID"
}
