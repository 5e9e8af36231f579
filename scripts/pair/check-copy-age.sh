#!/usr/bin/env bash
# Report the age of this machine's copies of production, as a monitoring plugin.
# Usage: check-copy-age.sh PAIR MINUTES
#
# Prints one line. Ends with 0: every copy is younger than MINUTES, or this machine is not a
# standby; 1: a copy is older than 80 % of MINUTES; 2: a copy is older than MINUTES or
# missing; 3: unknown. Hosts also have it as copies.sh, the name in older monitoring.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/pair/lib-carried.sh
. "$here/lib-carried.sh"

names() {
  ! is_snapshot || echo database
  carried directories. | sed 's/=.*//'
  carried indexes. | sed -n 's/\.core=.*//p'
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 2 && $2 =~ ^[0-9]+$ && -r /etc/$1/$1.conf ]] || { echo "UNKNOWN: check-copy-age.sh takes PAIR MINUTES, got: $*" && exit 3; }
  local name at age worst=0 words=''
  load_pair "$1"
  case $(cat "/etc/$PAIR/$PAIR.status" 2>/dev/null) in
    standby | production_as_standby) ;;
    *) echo "OK: $SELF is not a standby and copies nothing" && return ;;
  esac
  for name in $(names); do
    at=$(value_of "$(records)/copies/$name" at)
    age=$(((EPOCHSECONDS - ${at:-0}) / 60))
    words+=", $name $([[ -n $at ]] && echo "$age min" || echo never)"
    if ((age >= $2)); then worst=2; elif ((age * 10 >= $2 * 8 && worst < 1)); then worst=1; fi
  done
  read -r -a at <<<'OK WARNING CRITICAL'
  echo "${at[worst]}: copies on $SELF${words:-, none} (limit $2 min)"
  exit "$worst"
}

{
  main "$@"
  exit
}
