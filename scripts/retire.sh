#!/usr/bin/env bash
# Take this host out of service: from now on nothing runs on it that STACK operates.
# Usage: retire.sh HOST STACK [look]
#
# Asks the retire.sh in every folder beside it. First each says why the host may not go yet: all
# reasons together are refused (77), and nothing was touched. Then each stops and removes what is its
# own. Data stays, and the receipt says where. With `look` it only refuses. What another stack
# operates is left as it is.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"

# each_area HOST STACK look|leave: what all of them say. One that fails ends it, with its own result.
each_area() {
  local script
  for script in "$here"/*/retire.sh; do bash "$script" "$@" || return; done
}

# Another stack may take the host from now on; claims and epochs stay, so that a later one counts on.
disown_records() {
  local record
  for record in "$CHANGEOVER_ROOT"/*/stack; do
    [[ ! -e $record || $(value_of "$record" id) != "$1" ]] || rm -f "$record"
  done
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 2 || ($# -eq 3 && $3 == look) ]] || misuse "retire.sh takes HOST STACK [look], got: $*"
  local reasons left
  export CHANGEOVER_COMPONENT=$1
  reasons=$(each_area "$1" "$2" look)
  [[ -z $reasons ]] || refuse "$1 ${reasons//$'\n'/; }; then run up again"
  if [[ ${3:-} == look ]]; then
    receipt "serves nothing"
    return
  fi
  left=$(each_area "$1" "$2" leave)
  disown_records "$2"
  receipt "out of service${left:+, data left in ${left//$'\n'/ }}"
}

{
  main "$@"
  exit
}
