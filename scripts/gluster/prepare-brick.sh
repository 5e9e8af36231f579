#!/usr/bin/env bash
# Create the folder of a brick on this host.
# Usage: prepare-brick.sh COMPONENT VOLUME PATH
#
# A removed brick at PATH is kept under another name. Refuses (77) a folder with other files,
# and a folder on the root file system, which a full volume would fill.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"

is_in_use() { gluster --mode=script volume info 2>/dev/null | grep -qE "^Brick[0-9]+: [^:]+:$1( \(arbiter\))?\$"; }

# Whether PATH was a brick of a volume earlier.
was_brick() { python3 -I -c 'import os, sys; os.getxattr(sys.argv[1], "trusted.glusterfs.volume-id")' "$1" 2>/dev/null; }

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
  local path=$3
  if is_in_use "$path"; then
    receipt "$path on $HOSTNAME is a brick already"
    return
  fi
  require_own_file_system "$path"
  if was_brick "$path"; then
    keep_old "$path"
  elif [[ -e $path && -n $(ls -A "$path" 2>/dev/null || echo file) ]]; then
    refuse "$path on $HOSTNAME is not empty and is not a brick; move it away, or name another path"
  fi
  mkdir -p "$path"
  receipt "$HOSTNAME has the folder $path for its brick"
}

{
  main "$@"
  exit
}
