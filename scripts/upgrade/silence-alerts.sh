#!/usr/bin/env bash
# Silence the alerts of this host's checks for MINUTES, or turn them on again.
# Usage: silence-alerts.sh COMPONENT NAME on MINUTES
#        silence-alerts.sh COMPONENT NAME off
#
# COMPONENT and NAME are both the name of the upgrade, as in: scalr scalr.
# Silenced checks still run and print their result. A timer turns alerts on again if no run does.
# The settings `silence` and `unsilence` are command lines for your own monitoring.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/upgrade/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/lib-temporary.sh
. "$here/../lib-temporary.sh"

# The record comes first: without it nothing would ever end the silence of your own monitoring.
silence_on() {
  local file=$1 minutes=$2 told
  require_claim
  told=$(value_of "$file" told)
  temporarily silence $((minutes * 60)) upgrade/silence-alerts "$CHANGEOVER_COMPONENT" "$NAME" off
  note_silence "$file" "$minutes" "$told"
  if [[ -n $SILENCE && -z $told ]]; then
    run_line 60 silence "$SILENCE"
    note_silence "$file" "$minutes" yes
  fi
  receipt "alerts of $HOSTNAME are silent for $minutes min"
}

note_silence() {
  printf 'until=%s\ntold=%s\n' $((EPOCHSECONDS + $2 * 60)) "$3" | write_file "$1" || timed_out "the silence of $HOSTNAME is not noted; make room and run again"
}

# No claim is required: the timer runs when the transition no longer holds it.
silence_off() {
  local file=$1
  if [[ ! -e $file ]]; then
    settle silence
    receipt "alerts of $HOSTNAME were not silent"
    return
  fi
  [[ -z $UNSILENCE ]] || run_line 60 unsilence "$UNSILENCE"
  rm -f "$file"
  settle silence
  receipt "alerts of $HOSTNAME are on again"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 4 && $3 == on || $# -eq 3 && $3 == off ]] || misuse "silence-alerts.sh takes COMPONENT NAME on MINUTES, or COMPONENT NAME off, got: $*"
  local said
  load_upgrade "$1" "$2"
  if [[ $3 == off ]]; then
    silence_off "$(facts)/silenced"
  else
    require_number "$4" minutes
    silence_on "$(facts)/silenced" "$4"
  fi
}

{
  main "$@"
  exit
}
