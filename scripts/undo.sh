#!/usr/bin/env bash
# Put a temporary change back, because nobody came in time, and mark its transition expired.
# Usage: undo.sh COMPONENT NAME TOKEN SECONDS
#
# Started by the timer that lib-temporary.sh arms. Does nothing when the change was
# settled or armed anew since.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"

# Names by which older releases recorded the script of an undo.
declare -rA renamed=(
  ["haproxy/back"]=haproxy/undo-drain
  ["upgrade/silence"]=upgrade/silence-alerts
)

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
  printf '%s\n' "$name" | write_file "$(records)/expired/$CHANGEOVER_ID"
  read -ra words <<<"$(value_of "$record" undo)"
  log "putting $name back: ${words[*]}"
  bash "$SCRIPTS/${renamed[${words[0]}]:-${words[0]}}.sh" "${words[@]:1}"
  rm -f "$record"
}

{
  main "$@"
  exit
}
