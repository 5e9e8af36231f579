#!/usr/bin/env bash
# Tell this machine what there is to upgrade on it, and have its disk and its services checked from now on.
# Usage: configure.sh COMPONENT NAME KEY=VALUE…
#
# Keys: package role main (yes or no) folder disk_percent services (names, with spaces between) stop start reconfigure
# status supervisor supervisor_says skip_file kind (deb, rpm or auto) silence unsilence, and on the main host dump client
# credentials backup_folder keep server database_start database_stop database_seconds. Starts and installs
# nothing of the package. The plugins are /usr/local/lib/changeover/upgrades/{disk,services}-check.py; what they found last
# is in /var/lib/changeover/COMPONENT/{disk,services}-check.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/upgrade/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/upgrade/lib-checks.sh
. "$here/lib-checks.sh"

readonly plugins=/usr/local/lib/changeover/upgrades seconds=60
readonly needed=(package role folder status stop reconfigure supervisor)
readonly needed_on_main=(dump client credentials backup_folder)

take() {
  local key=${1%%=*} value=${1#*=}
  [[ $1 == *=* && ! $value =~ [[:cntrl:]] ]] || misuse "\"$key\" is not KEY=VALUE on one line"
  [[ " ${KEYS[*]} " == *" $key "* ]] || misuse "$key is none of ${KEYS[*]}"
  # shellcheck disable=SC2004
  told[$key]=$value
}

check_told() {
  local key
  local -a all=("${needed[@]}")
  [[ ${told[main]} =~ ^(yes|no)$ ]] || misuse "main=${told[main]}; allowed are yes and no"
  [[ ${told[kind]} =~ ^(auto|deb|rpm)$ ]] || misuse "kind=${told[kind]}; allowed are auto, deb and rpm"
  [[ ${told[package]:-} =~ ^[a-zA-Z0-9][a-zA-Z0-9.+_-]*$ ]] || misuse "package=${told[package]:-} is no name of a package"
  for key in disk_percent keep database_seconds; do require_number "${told[$key]}" "$key"; done
  [[ ${told[main]} == no ]] || all+=("${needed_on_main[@]}")
  for key in "${all[@]}"; do [[ -n ${told[$key]:-} ]] || misuse "configure.sh was not told $key"; done
  for key in folder backup_folder; do
    [[ -z ${told[$key]:-} || ${told[$key]} == /?* ]] || misuse "$key=${told[$key]} is no absolute path"
  done
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# >= 3)) || misuse "configure.sh takes COMPONENT NAME KEY=VALUE…, got: $*"
  local word key
  local -A told=([main]=no [kind]=auto [disk_percent]=80 [keep]=5 [database_seconds]=3600)
  require_name "$1" "$2"
  export CHANGEOVER_COMPONENT=$1
  NAME=$2
  for word in "${@:3}"; do take "$word"; done
  check_told
  for key in "${KEYS[@]}"; do [[ -z ${told[$key]:-} ]] || printf '%s=%s\n' "$key" "${told[$key]}"; done |
    write_file "$UPGRADES/$NAME" 0600
  install_checks "$plugins" "$seconds"
  receipt "$HOSTNAME is ${told[role]} of $NAME$([[ ${told[main]} == no ]] || printf ' and its main host'), checked every $seconds s,"
}

{
  main "$@"
  exit
}
