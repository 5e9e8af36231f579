# Sourced by the scripts that look after what a pair carries besides its database: /etc/PAIR/carries.
# shellcheck shell=bash

# write_carries PAIR key=value…: the words that begin with `carries.`, one a line.
write_carries() {
  local word
  for word in "${@:2}"; do [[ $word != carries.* ]] || printf '%s\n' "${word#carries.}"; done |
    sort | write_file "/etc/$1/carries"
}

# carried PREFIX: the lines that begin with PREFIX, without it.
carried() { sed -n "s/^${1//./\\.}//p" "/etc/$PAIR/carries" 2>/dev/null || true; }
carries() { [[ -n $(carried "$1") ]]; }
has_files() { carries directories. || carries indexes.; }
is_snapshot() { [[ $(carried replication=) == snapshot ]]; }

# services_on production|both|'': units of the services that run there; '' for all.
services_on() {
  local line name
  while read -r line; do
    name=${line%%.units=*}
    [[ -z $1 || $(carried "services.$name.on=") == "$1" ]] || continue
    printf '%s\n' "${line#*.units=}"
  done < <(carried services. | grep '\.units=') | tr '\n' ' '
}

# Units are never enabled: a role starts them, so that a machine that boots runs nothing before it knows its own.
# start_units UNIT…
start_units() {
  (($#)) || return 0
  log "starting $*"
  timeout 120 systemctl start "$@" || timed_out "not all of $* start on $SELF; see: journalctl -u ${1}"
}

# stop_units UNIT…: one that hangs is killed, since users wait; one that is not on the machine does not run.
stop_units() {
  (($#)) || return 0
  log "stopping $*"
  timeout 20 systemctl stop "$@" || systemctl kill --signal=KILL "$@" || true
  timeout 10 systemctl stop "$@" || are_stopped "$@" || timed_out "not all of $* stop on $SELF"
}
are_stopped() { [[ ! $'\n'$(systemctl is-active "$@")$'\n' =~ $'\n'(active|reloading|activating|deactivating)$'\n' ]]; }

# stop_left_out PAIR key=value…: what the words name no more would run on, on both machines.
stop_left_out() {
  local word wanted=' '
  local -a had removed=()
  for word in "${@:2}"; do [[ $word != carries.services.*.units=* ]] || wanted+="${word#*=} "; done
  read -ra had <<<"$(PAIR=$1 services_on '')"
  for word in "${had[@]}"; do [[ $wanted == *" $word "* ]] || removed+=("$word"); done
  stop_units "${removed[@]}"
}

# Every unit is on the machine, before a role needs it, and no boot starts it before the role is known.
own_units() {
  local unit
  for unit in $(services_on ''); do
    [[ $(systemctl show -P LoadState "$unit") == loaded ]] ||
      refuse "$SELF has no unit $unit; install it, or have \`software\` do so, or take it out of services"
    [[ $(systemctl is-enabled "$unit" 2>/dev/null) != enabled* ]] || { log "$unit is started by the role, not by the boot" && systemctl disable --quiet "$unit"; }
  done
}

listens() { (: <>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# await_ports production|both: a unit is active before it answers.
await_ports() {
  local line name port
  while IFS='=' read -r name line; do
    [[ $1 == production || $(carried "services.${name%.ports}.on=") == both ]] || continue
    for port in $line; do wait_until "port $port of ${name%.ports} answers on $SELF" 60 listens "$port"; done
  done < <(carried services. | grep '\.ports=')
}

# run_role production|standby: what this role runs is started, what it does not is stopped.
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

# A standby that stood still until its next copy hears its peer again. For the server that starts next, or runs.
stand_still_no_more() {
  [[ -e $STILL ]] || return 0
  rm -f "$STILL"
  ! is_running || reload_server
}

# An open transition stops a copy that a timer began, and waits for one that a person began; none begins while the claim is
# there.
stop_copies() {
  [[ ! -e /etc/systemd/system/changeover-sync-$PAIR.service ]] || timeout 30 systemctl stop "changeover-sync-$PAIR.service" 2>/dev/null ||
    timed_out "the copy that a timer began does not stop on $SELF"
  exec 8>>"$(records)/sync.lock"
  flock -w 30 8 || timed_out "a copy that somebody began by hand runs on $SELF (sync.sh); wait for it, or end it"
  exec 8>&-
}

# give_up_transition WHAT: no step of it acts on this machine from now on, since WHAT was put back.
give_up_transition() { write_file "$(records)/expired/$CHANGEOVER_ID" <<<"$1"; }
