# Sourced by by-hand.sh: steps as a transition runs them, with an id of their own.
# shellcheck shell=bash

# An id that carries its epoch, one more than any that this machine knows of, or the other if it answers.
new_id() { printf 'by-hand-%d-%04x\n' $(($(python3 "$SCRIPTS/pair/show.py" "$PAIR" epoch) + 1)) "$RANDOM"; }

claim() {
  [[ $1 =~ ^by-hand-([0-9]+)-[0-9a-f]{4}$ ]] || misuse "$1 is no id that switch-to-standby printed"
  id=$1
  [[ -z $dry_run ]] || { log "would claim $SELF for $id" && return; }
  bash "$SCRIPTS/claim.sh" "$PAIR" switch "$id" "$(value_of "$(records)/stack" id)" "${BASH_REMATCH[1]}"
}

step() {
  [[ -z $dry_run ]] || { log "would run $*" && return; }
  bash "$SCRIPTS/step.sh" "$PAIR" switch "$id" 3600 "pair/$1" "$PAIR" "${@:2}" </dev/null
}

files() { ! has_files || step copy "$1"; }
services() { ! carries services. || step services "$1"; }

# finish STATUS-OF-PRIMARY STATUS-OF-SECONDARY
finish() {
  if [[ $SELF == "$PRIMARY" ]]; then step status "$1"; else step status "$2"; fi
  [[ -n $dry_run ]] || bash "$SCRIPTS/done.sh" "$PAIR" switch "$id"
}

# next_with_pulumi [LOST]
next_with_pulumi() {
  log "when Pulumi is at hand:${1:+ npx pulumi config set --path 'changeover:unreachable[0]' $1;}"
  log "  npx pulumi config set --path changeover:pairs.$PAIR.production $SELF; npx pulumi up"
}
