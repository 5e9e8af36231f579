#!/usr/bin/env bash
# Claim this host for one transition of a component.
# Usage: claim.sh [--pauses OTHER] COMPONENT TRANSITION ID STACK EPOCH [ADOPTED-STACK]
#
# Refuses (77) a lower epoch, an equal epoch of another transition, and a stack that
# does not operate this host unless it names the one that does. OTHER is a transition of
# the component that comes later: an open claim of it is kept, and done.sh gives it back.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"

require_stack() {
  local stack=$1 adopted=$2 owner
  owner=$(value_of "$(records)/stack" id)
  [[ -z $owner || $owner == "$stack" || $owner == "$adopted" ]] ||
    refuse "$HOSTNAME is operated by stack $owner, not by $stack; to take it over: npx pulumi config set adopt $owner"
  [[ $owner == "$stack" ]] || printf 'id=%s\n' "$stack" | write_file "$(records)/stack"
}

require_newer() {
  local id=$1 epoch=$2 claimed
  [[ $epoch =~ ^[0-9]+$ ]] || misuse "epoch ${epoch:-(empty)} is not a number"
  claimed=$(value_of "$(records)/claim" epoch)
  ((epoch >= ${claimed:-0})) ||
    refuse "$HOSTNAME has epoch $claimed, this transition has $epoch: somebody acted since its preflight; $(start_again)"
  ((epoch > ${claimed:-0})) || [[ $(value_of "$(records)/claim" id) == "$id" ]] ||
    refuse "$HOSTNAME is claimed for epoch $epoch by $(value_of "$(records)/claim" id): two runs at once; $(start_again)"
}

# The open claim of the transition named $1, for the record of the claim that interrupts it. A newer goal of the
# interrupting transition takes over what its older one has paused.
paused() {
  local claim transition id
  claim=$(records)/claim
  transition=$(value_of "$claim" transition) id=$(value_of "$claim" id)
  [[ $transition != "$CHANGEOVER_TRANSITION" ]] ||
    { transition=$(value_of "$claim" paused_transition) && id=$(value_of "$claim" paused_id); }
  [[ -n $id && $transition == "$1" && $(value_of "$(records)/done/$transition" id) != "$id" ]] || return 0
  log "$transition $id is open on $HOSTNAME and pauses until $CHANGEOVER_TRANSITION is done"
  printf 'paused_transition=%s\npaused_id=%s\n' "$transition" "$id"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  local pauses='' kept=''
  [[ ${1:-} != --pauses ]] || { pauses=${2:-} && shift 2; }
  (($# == 5 || $# == 6)) || misuse "claim.sh takes [--pauses OTHER] COMPONENT TRANSITION ID STACK EPOCH [ADOPTED-STACK], got: $*"
  export CHANGEOVER_COMPONENT=$1 CHANGEOVER_TRANSITION=$2 CHANGEOVER_ID=$3
  install -d -m 0755 "$(records)" "$(records)"/{done,runs,expired,temporary}
  exec 9>"$(records)/lock"
  flock -w 60 9 || timed_out "the lock of $1 is held by $(cat "$(records)/holder" 2>/dev/null)"
  if is_done; then
    receipt "$2 is complete, nothing claimed"
    return
  fi
  # What another stack has open does not go on once its host is taken over.
  [[ $(value_of "$(records)/stack" id) != "$4" ]] || kept=$(paused "$pauses")
  require_stack "$4" "${6:-}"
  require_newer "$3" "$5"
  log "claiming $HOSTNAME for $2 $3, epoch $5"
  printf 'id=%s\nepoch=%s\ntransition=%s\n%s' "$3" "$5" "$2" "${kept:+$kept$'\n'}" | write_file "$(records)/claim"
  receipt "$HOSTNAME claimed for $2, epoch $5,"
}

{
  main "$@"
  exit
}
