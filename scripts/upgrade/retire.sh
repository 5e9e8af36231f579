#!/usr/bin/env bash
# Take this host out of its staged upgrades when it goes out of service.
# Usage: retire.sh HOST STACK look|leave
#
# `look` prints which upgrade's services still run here. `leave` removes the checks and settings (leave-upgrade.sh), and
# prints the folders of the package and the backups, which stay.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/lib-retire.sh
. "$here/../lib-retire.sh"
# shellcheck source=scripts/upgrade/lib.sh
. "$here/lib.sh"

# each_upgrade COMMAND: run it for each upgrade of this host, with COMPONENT and NAME.
each_upgrade() {
  local file name
  for file in "$UPGRADES"/*; do
    name=${file##*/}
    # A name with a dot is the remainder of an interrupted write.
    [[ -e $file && $name != *.* ]] || continue
    ! is_ours "$name-$HOST" || "$1" "$name-$HOST" "$name"
  done
}

look() { bash "$here/leave-upgrade.sh" "$1" "$2" look; }

leave() {
  local key path
  for key in folder backup_folder; do
    path=$(value_of "$UPGRADES/$2" "$key")
    [[ -z $path || ! -e $path ]] || printf '%s\n' "$path"
  done
  bash "$here/leave-upgrade.sh" "$1" "$2" >&2
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  know_order "$@"
  each_upgrade "$3"
}

{
  main "$@"
  exit
}
