#!/usr/bin/env bash
# Claim this host for one transition of a component.
# Usage: claim.sh COMPONENT TRANSITION ID STACK EPOCH [ADOPTED-STACK]
#
# Refuses (77) a lower epoch, an equal epoch of another transition, and a stack that
# does not operate this host unless it names the one that does.

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

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 5 || $# == 6)) || misuse "claim.sh takes COMPONENT TRANSITION ID STACK EPOCH [ADOPTED-STACK], got: $*"
  export CHANGEOVER_COMPONENT=$1 CHANGEOVER_TRANSITION=$2 CHANGEOVER_ID=$3
  install -d -m 0755 "$(records)" "$(records)"/{done,runs,expired,temporary}
  exec 9>"$(records)/lock"
  flock -w 60 9 || timed_out "the lock of $1 is held by $(cat "$(records)/holder" 2>/dev/null)"
  if is_done; then
    receipt "$2 is complete, nothing claimed"
    return
  fi
  require_stack "$4" "${6:-}"
  require_newer "$3" "$5"
  log "claiming $HOSTNAME for $2 $3, epoch $5"
  printf 'id=%s\nepoch=%s\ntransition=%s\n' "$3" "$5" "$2" | write_file "$(records)/claim"
  receipt "$HOSTNAME claimed for $2, epoch $5,"
}

{
  main "$@"
  exit
}
