#!/usr/bin/env bash
# Record on this host what is to be upgraded on it, and check its disk and services by timers from now on.
# Usage: configure-host.sh COMPONENT NAME KEY=VALUE…
#
# NAME is the upgrade; COMPONENT is the upgrade's part on this host, as in: scalr-scalr-app1 scalr.
# Keys: package role main (yes or no) folder disk_percent services (names separated by spaces) stop start reconfigure
# status supervisor supervisor_says skip_file kind (deb, rpm or auto) silence unsilence; on the main host also dump client
# credentials backup_folder keep server database_start database_stop database_seconds.
# Starts and installs nothing of the package. The checks for your monitoring are
# /usr/local/lib/changeover/upgrades/{disk,services}-check.py. Their last results are in
# /var/lib/changeover/COMPONENT/{disk,services}-check.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/upgrade/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/upgrade/lib-configure.sh
. "$here/lib-configure.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# >= 3)) || misuse "configure-host.sh takes COMPONENT NAME KEY=VALUE…, got: $*"
  local word key
  local -A settings=([main]=no [kind]=auto [disk_percent]=80 [keep]=5 [database_seconds]=3600)
  require_name "$1" "$2"
  export CHANGEOVER_COMPONENT=$1
  NAME=$2
  for word in "${@:3}"; do take "$word"; done
  check_settings
  for key in "${KEYS[@]}"; do [[ -z ${settings[$key]:-} ]] || printf '%s=%s\n' "$key" "${settings[$key]}"; done |
    write_file "$UPGRADES/$NAME" 0600
  install_checks /usr/local/lib/changeover/upgrades "$check_seconds"
  receipt "$HOSTNAME is ${settings[role]} of $NAME$([[ ${settings[main]} == no ]] || printf ' and its main host'), checked every $check_seconds s"
}

{
  main "$@"
  exit
}
