#!/usr/bin/env bash
# Create the folder of a brick on this host.
# Usage: prepare-brick.sh COMPONENT VOLUME PATH
#
# A removed brick at PATH is kept under another name, so none of its old files comes back. Refuses (77) a
# folder with other files, a brick whose disk is not there, and a folder on the root file system, which a
# full volume would fill.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"

# The nearest parent folder that exists.
existing_parent() {
  local folder=$1
  until [[ -d $folder ]]; do folder=$(dirname "$folder"); done
  printf '%s\n' "$folder"
}

require_own_file_system() {
  [[ $(stat -c %d "$(existing_parent "$1")") != $(stat -c %d /) ]] ||
    refuse "$1 on $HOSTNAME is on the root file system, which a full volume would fill; mount a disk there, or name another path"
}

keep_old() {
  local kept
  printf -v kept '%s.kept-%(%Y%m%dT%H%M%S)T' "$1" -1
  log "keeping the removed brick $1 as $kept"
  require_claim
  mv -T "$1" "$kept"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 3)) || misuse "prepare-brick.sh takes COMPONENT VOLUME PATH, got: $*"
  export CHANGEOVER_COMPONENT=$1
  local path=$3 state
  require_own_path "$(dirname "$path")"
  state=$(python3 -I "$here/bricks.py" "$path")
  case $state in
    ours) receipt "$path on $HOSTNAME is a brick already" && return ;;
    lost) refuse "$path on $HOSTNAME has no data of its volume: its disk is not mounted, or is a new one; mount the disk, or name another path in \`bricks\`" ;;
    foreign) refuse "$path on $HOSTNAME is not empty and is not a brick; move it away, or name another path" ;;
  esac
  require_own_file_system "$path"
  [[ $state != left ]] || keep_old "$path"
  mkdir -p "$path"
  receipt "$HOSTNAME has the folder $path for its brick"
}

{
  main "$@"
  exit
}
