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
# shellcheck source=scripts/upgrade/lib-configure.sh
. "$here/lib-configure.sh"

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
  install_checks /usr/local/lib/changeover/upgrades 60
  receipt "$HOSTNAME is ${told[role]} of $NAME$([[ ${told[main]} == no ]] || printf ' and its main host'), checked every 60 s,"
}

{
  main "$@"
  exit
}
