#!/usr/bin/env bash
# Put a temporary change back, because nobody came in time, and mark its transition expired.
# Usage: undo.sh COMPONENT NAME TOKEN SECONDS
#
# Started by the timer that lib-temporary.sh arms, and by undo-due.sh. Does nothing when the change
# was settled or armed anew since. Ends with 75 when the undo failed: the record stays, and says so.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"

# Names by which older releases recorded the script of an undo.
declare -rA renamed=(
  ["haproxy/back"]=haproxy/undo-drain
  ["upgrade/silence"]=upgrade/silence-alerts
)

# Later steps rely on the change: they must refuse from now on. An empty file says it too, where a disk is full; and a change
# that nobody puts back would be worse than a step that is not refused.
expire() {
  local file
  file=$(records)/expired/$CHANGEOVER_ID
  printf '%s\n' "$1" | write_file "$file" || : >"$file" || log "$1 goes back, and the steps after it can't be told"
}

# failed RECORD CODE: keep it for the next try, with how often it failed, for npm run verify.
failed() {
  local record=$1 tries
  tries=$(($(value_of "$record" failed) + 1))
  { grep -v '^failed=' "$record" && printf 'failed=%s\n' "$tries"; } | write_file "$record" || true
  timed_out "${record##*/} of $CHANGEOVER_COMPONENT is not put back on $HOSTNAME (try $tries ended with $2); the next try is in a minute"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 4)) || misuse "undo.sh takes COMPONENT NAME TOKEN SECONDS, got: $*"
  export CHANGEOVER_COMPONENT=$1
  local name=$2 record words
  pause "$4"
  exec 9>"$(records)/lock"
  flock -w 600 9 || timed_out "the lock of $1 is held by $(cat "$(records)/holder" 2>/dev/null)"
  record=$(records)/temporary/$name
  [[ $(value_of "$record" token) == "$3" ]] || return 0
  CHANGEOVER_ID=$(value_of "$record" id)
  export CHANGEOVER_ID
  expire "$name"
  read -ra words <<<"$(value_of "$record" undo)"
  log "putting $name back: ${words[*]}"
  bash "$SCRIPTS/${renamed[${words[0]}]:-${words[0]}}.sh" "${words[@]:1}" || failed "$record" "$?"
  rm -f "$record"
}

{
  main "$@"
  exit
}
