#!/usr/bin/env bash
# Mark a transition as done on this host: its steps act on nothing from now on.
# Usage: done.sh COMPONENT TRANSITION ID [WITHOUT]
#
# WITHOUT is the host that it was done without, for the receipt. A transition that this
# one has paused gets its claim back, at this one's epoch, and may go on.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"

give_back() {
  local claim transition id
  claim=$(records)/claim
  transition=$(value_of "$claim" paused_transition) id=$(value_of "$claim" paused_id)
  [[ $(value_of "$claim" id) == "$CHANGEOVER_ID" && -n $id ]] || return 0
  log "$transition $id may go on on $HOSTNAME"
  printf 'id=%s\nepoch=%s\ntransition=%s\n' "$id" "$(value_of "$claim" epoch)" "$transition" | write_file "$claim"
}

# Forget what was put back of transitions that this one has replaced: none of them holds a claim, or may get it back.
forget_expired() {
  local file claim
  claim=$(records)/claim
  for file in "$(records)"/expired/*; do
    [[ ${file##*/} == "$(value_of "$claim" id)" || ${file##*/} == "$(value_of "$claim" paused_id)" ]] || rm -f "$file"
  done
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 3 || $# == 4)) || misuse "done.sh takes COMPONENT TRANSITION ID [WITHOUT], got: $*"
  export CHANGEOVER_COMPONENT=$1 CHANGEOVER_TRANSITION=$2 CHANGEOVER_ID=$3
  mkdir -p "$(records)"
  exec 9>"$(records)/lock"
  flock -w 60 9 || timed_out "the lock of $1 is held by $(cat "$(records)/holder" 2>/dev/null)"
  if ! is_done; then
    require_claim
    printf 'id=%s\nepoch=%s\n' "$3" "$(value_of "$(records)/claim" epoch)" | write_file "$(records)/done/$2"
  fi
  give_back
  forget_expired
  find "$(records)/runs" -maxdepth 1 -mindepth 1 -mtime +30 -exec rm -rf {} +
  receipt "$2 done on $HOSTNAME, complete${4:+, but without $4}"
}

{
  main "$@"
  exit
}
