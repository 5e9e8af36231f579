#!/usr/bin/env bash
# This host as one of staged upgrades, when it goes out of service.
# Usage: retire.sh HOST STACK look|leave
#
# `look` says on stdout which upgrade's services still run here. `leave` removes its checks and settings
# (leave.sh), and says where the package and the backups stay.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/lib-retire.sh
. "$here/../lib-retire.sh"
# shellcheck source=scripts/upgrade/lib.sh
. "$here/lib.sh"

# each_upgrade COMMAND: with the component of the host and the name of each upgrade that it was told of.
each_upgrade() {
  local file name
  for file in "$UPGRADES"/*; do
    name=${file##*/}
    # With a dot it is what a write that broke off has left.
    [[ -e $file && $name != *.* ]] || continue
    ! is_ours "$name-$HOST" || "$1" "$name-$HOST" "$name"
  done
}

look() { bash "$here/leave.sh" "$1" "$2" look; }

leave() {
  local key path
  for key in folder backup_folder; do
    path=$(value_of "$UPGRADES/$2" "$key")
    [[ -z $path || ! -e $path ]] || printf '%s\n' "$path"
  done
  bash "$here/leave.sh" "$1" "$2" >&2
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
