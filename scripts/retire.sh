#!/usr/bin/env bash
# Take this host out of service: nothing of any pair or upgrade that STACK operates runs on it from now on.
# Usage: retire.sh HOST STACK [look]
#
# Refuses (77), before anything is touched and with all reasons, while the host accepts writes
# for a pair or holds its service address, and while something of a pool, a cache, a shared
# volume or an upgrade runs on it. Stops the pair's units and its cluster; removes the
# units, the command, the scripts and the nft table, of an upgrade its checks and settings.
# Data stays, and the receipt says where. With `look` it only refuses. What another stack
# operates is left as it is.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$here/pair/lib.sh"
# shellcheck source=scripts/pair/lib-carried.sh
. "$here/pair/lib-carried.sh"
# shellcheck source=scripts/lib-retire.sh
. "$here/lib-retire.sh"

is_ours() {
  local owner
  owner=$(value_of "$CHANGEOVER_ROOT/$1/stack" id)
  [[ -z $owner || $owner == "$stack" ]] || { log "$1 is operated by stack $owner, left as it is" && return 1; }
}

# each_pair COMMAND…: with what is known of the pair, in PAIR and the variables of its file. An upgrade is none, and may have
# the name of its software, which has a file of its own.
each_pair() {
  local record
  for record in "$CHANGEOVER_ROOT"/*/claim; do
    [[ -e $record && $(value_of "$record" transition) != upgrade ]] || continue
    record=${record%/claim}
    is_ours "${record##*/}" || continue
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
  each_upgrade "$1" look_at_upgrade
  look_at_others
  ((${#reasons[@]} == 0)) || refuse "$1 $(printf '%s; ' "${reasons[@]}")then run up again"
  if [[ ${3:-} != look ]]; then
    each_upgrade "$1" leave_upgrade
    each_pair retire_pair "$1"
  fi
  export CHANGEOVER_COMPONENT=$1
  if [[ ${3:-} == look ]]; then receipt "serves nothing"; else receipt "out of service${left:+, data left in$left}"; fi
}

{
  main "$@"
  exit
}
