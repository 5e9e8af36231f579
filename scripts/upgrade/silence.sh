#!/usr/bin/env bash
# Keep the checks of this host from alarming anybody for so many minutes, or let them again.
# Usage: silence.sh COMPONENT NAME on MINUTES
#        silence.sh COMPONENT NAME off
#
# The checks go on and say what they find. When nobody comes, a timer lets them alarm again. The settings may say command
# lines, `silence` and `unsilence`, for a monitoring of one's own.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/upgrade/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/lib-temporary.sh
. "$here/../lib-temporary.sh"

silence_on() {
  local file=$1 minutes=$2 before
  require_claim
  before=$(value_of "$file" until)
  temporarily silence $((minutes * 60)) upgrade/silence "$CHANGEOVER_COMPONENT" "$NAME" off
  [[ -z $SILENCE || -n $before ]] || run_line 60 silence "$SILENCE"
  printf 'until=%s\n' $((EPOCHSECONDS + minutes * 60)) | write_file "$file"
  receipt "$HOSTNAME is silenced for $minutes min"
}

# Here nothing asks for the claim: the timer comes when the transition holds no more.
silence_off() {
  local file=$1
  if [[ ! -e $file ]]; then
    settle silence
    receipt "$HOSTNAME is not silenced"
    return
  fi
  [[ -z $UNSILENCE ]] || run_line 60 unsilence "$UNSILENCE"
  rm -f "$file"
  settle silence
  receipt "$HOSTNAME is silenced no more"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 4 && $3 == on || $# -eq 3 && $3 == off ]] || misuse "silence.sh takes COMPONENT NAME on MINUTES, or off, got: $*"
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
