# Sourced by by-hand.sh: runs the steps of a transition under an id of its own.
# shellcheck shell=bash

# The id contains its epoch: one more than the highest that this machine knows, or its peer if that answers.
new_id() { printf 'by-hand-%d-%04x\n' $(($(python3 "$SCRIPTS/pair/show_pair.py" "$PAIR" epoch) + 1)) "$RANDOM"; }

claim() {
  [[ $1 =~ ^by-hand-([0-9]+)-[0-9a-f]{4}$ ]] || misuse "$1 is not an id that prepare or switch-to-standby printed"
  id=$1
  [[ -z $dry_run ]] || { log "would claim $SELF for $id" && return; }
  bash "$SCRIPTS/claim.sh" "$PAIR" switch "$id" "$(value_of "$(records)/stack" id)" "${BASH_REMATCH[1]}"
}

step() {
  [[ -z $dry_run ]] || { log "would run $*" && return; }
  bash "$SCRIPTS/step.sh" "$PAIR" switch "$id" 3600 "pair/$1" "$PAIR" "${@:2}" </dev/null
}

files() { ! has_files || step copy-files "$1"; }
services() { ! carries services. || step start-services "$1"; }

# finish STATUS-OF-PRIMARY STATUS-OF-SECONDARY
finish() {
  if [[ $SELF == "$PRIMARY" ]]; then step write-status "$1"; else step write-status "$2"; fi
  [[ -n $dry_run ]] || bash "$SCRIPTS/done.sh" "$PAIR" switch "$id"
}

# next_with_pulumi [LOST]
next_with_pulumi() {
  log "when Pulumi works again:${1:+ npx pulumi config set --path 'changeover:unreachable[0]' $1;}"
  log "  npx pulumi config set --path changeover:pairs.$PAIR.production $SELF; npx pulumi up"
}
