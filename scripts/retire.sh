#!/usr/bin/env bash
# Take this host out of service: nothing of any pair that STACK operates runs on it from now on.
# Usage: retire.sh HOST STACK [look]
#
# Refuses (77), before anything is touched and with all reasons, while the host accepts writes
# for a pair or holds its service address, and while something of a pool, a cache or a shared
# volume runs on it. Stops the pair's units and its cluster; removes the
# units, the command, the scripts and the nft table. Data stays, and the receipt says where.
# With `look` it only refuses. Pairs that another stack operates are left as they are.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$here/pair/lib.sh"
# shellcheck source=scripts/pair/lib-carried.sh
. "$here/pair/lib-carried.sh"
# shellcheck source=scripts/lib-retire.sh
. "$here/lib-retire.sh"

# each_pair COMMAND…: with what is known of the pair, in PAIR and the variables of its file.
each_pair() {
  local record owner
  for record in "$CHANGEOVER_ROOT"/*/claim; do
    [[ -e $record ]] || continue
    record=${record%/claim}
    owner=$(value_of "$record/stack" id)
    if [[ -n $owner && $owner != "$stack" ]]; then
      log "${record##*/} is operated by stack $owner, left as it is"
      continue
    fi
    know_pair "${record##*/}"
    "$@"
  done
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 2 || ($# -eq 3 && $3 == look) ]] || misuse "retire.sh takes HOST STACK [look], got: $*"
  local stack=$2 role=stopped left=''
  local -a reasons=()
  each_pair look_at_pair "$1"
  look_at_others
  ((${#reasons[@]} == 0)) || refuse "$1 $(printf '%s; ' "${reasons[@]}")then run up again"
  if [[ ${3:-} != look ]]; then each_pair retire_pair "$1"; fi
  export CHANGEOVER_COMPONENT=$1
  if [[ ${3:-} == look ]]; then receipt "serves nothing"; else receipt "out of service${left:+, data left in$left}"; fi
}

{
  main "$@"
  exit
}
