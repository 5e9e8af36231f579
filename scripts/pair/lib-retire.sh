# Sourced by retire.sh: finds the pairs of a host that is retired, and removes what they installed.
# shellcheck shell=bash

# shellcheck source=scripts/lib-rules.sh
. "$SCRIPTS/lib-rules.sh"

# is_pair COMPONENT: whether it has a file here, or was claimed for a switch. An upgrade is not a pair, but its software may
# have a file of that name.
is_pair() {
  local transition
  transition=$(value_of "$CHANGEOVER_ROOT/$1/claim" transition)
  [[ $transition == switch || ($transition != upgrade && -r /etc/$1/$1.conf) ]]
}

# each_pair COMMAND: run COMMAND for each pair, with PAIR and the variables of its file. A host that was claimed and never
# configured has no file, so no server and no address.
each_pair() {
  local claim
  for claim in "$CHANGEOVER_ROOT"/*/claim; do
    PAIR=${claim%/claim} && PAIR=${PAIR##*/} SERVICE_ADDRESS=none DATA=''
    { is_pair "$PAIR" && is_ours "$PAIR"; } || continue
    export CHANGEOVER_COMPONENT=$PAIR
    [[ ! -r /etc/$PAIR/$PAIR.conf ]] || load_pair "$PAIR"
    "$1"
  done
}

remove_units() {
  local file unit
  for file in /etc/systemd/system/changeover-*-"$PAIR".{timer,service}; do
    [[ -e $file ]] || continue
    unit=${file##*/}
    log "removing $unit"
    timeout 60 systemctl disable --quiet --now "$unit" || timed_out "$unit does not stop within 60 s"
    rm -f "$file"
    systemctl daemon-reload
  done
  for file in /etc/systemd/system/postgresql@*-"$PAIR".service.d/changeover.conf; do
    [[ -e $file ]] || continue
    rm -f "$file"
    systemctl daemon-reload
  done
}

remove_tables() {
  local family
  drop_rules "changeover-peer-$PAIR"
  for family in inet ip; do
    ! nft list table "$family" "changeover_$PAIR" >/dev/null 2>&1 || nft delete table "$family" "changeover_$PAIR"
  done
}

# From now on the data belongs to no pair: a pair that gets this host again refuses it, instead of using old data.
# Claim and epoch stay, so that a later epoch is higher.
mark_retired() {
  local gone
  [[ ! -e $(records)/cluster && -e $(records)/retired ]] ||
    printf 'system_id=%s\nsince=%(%FT%T%z)T\n' "$(value_of "$(records)/cluster" system_id)" -1 | write_file "$(records)/retired"
  for gone in cluster machine reserve copies making rewinding serving serving.before alone down fence stack; do rm -rf "${CHANGEOVER_ROOT:?}/$PAIR/$gone"; done
}
