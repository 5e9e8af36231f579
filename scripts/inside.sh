#!/usr/bin/env bash
# The detached half of step.sh: take the component's lock, run the script, leave its result.
# Usage: inside.sh RUN COMPONENT TRANSITION ID DEADLINE SCRIPT [WORD…]

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"

# A script of this release, or of the project's own software, which is copied beside the releases.
file_of() {
  if [[ $1 == software/* ]]; then printf '%s/../../%s.sh\n' "$here" "$1"; else printf '%s/%s.sh\n' "$here" "$1"; fi
}

# Runs in a subshell of its own, so that a refusal in here still leaves a result.
locked() {
  local deadline=$1 script=$2
  shift 2
  exec 9>"$(records)/lock"
  flock ${CHANGEOVER_BESIDE:+--shared} -w 60 9 || timed_out "the lock of $CHANGEOVER_COMPONENT is held by $(cat "$(records)/holder" 2>/dev/null)"
  printf '%s %s %s since %(%F %T)T\n' "$CHANGEOVER_TRANSITION" "$CHANGEOVER_ID" "$script" -1 >"$(records)/holder"
  require_claim
  local rc=0
  timeout --kill-after=10 "$deadline" bash "$(file_of "$script")" "$@" 9>&- || rc=$?
  rm -f "$(records)/holder"
  ((rc != 124 && rc != 137)) || timed_out "$script: not done after $deadline s"
  return "$rc"
}

main() {
  local run=$1 rc=0
  export CHANGEOVER_COMPONENT=$2 CHANGEOVER_TRANSITION=$3 CHANGEOVER_ID=$4
  # Software of the project may source the libraries of the release that it is run by.
  export CHANGEOVER_SCRIPTS=$here
  exec >"$run/out" 2>"$run/err" <"$run/in"
  rm -f "$run/in"
  printf '%s\n' $$ >"$run/pid.new" && mv "$run/pid.new" "$run/pid"
  # errexit is off inside `||`, so the result of the subshell is taken the long way.
  set +e
  (
    set -e
    locked "${@:5}"
  )
  rc=$?
  printf '%s\n' "$rc" >"$run/rc.new" && mv "$run/rc.new" "$run/rc"
}

{
  main "$@"
  exit
}
