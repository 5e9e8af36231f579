#!/usr/bin/env bash
# Have the folder of a brick on this host.
# Usage: brick.sh COMPONENT VOLUME PATH
#
# A brick that left the volume earlier is kept under another name. Refuses (77) a folder that
# holds anything else, and one on the root's file system, which a full volume would fill.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"

is_listed() { gluster --mode=script volume info 2>/dev/null | grep -qE "^Brick[0-9]+: [^:]+:$1( \(arbiter\))?\$"; }

was_brick() { python3 -c 'import os, sys; os.getxattr(sys.argv[1], "trusted.glusterfs.volume-id")' "$1" 2>/dev/null; }

# The nearest folder above that exists.
above() {
  local folder=$1
  until [[ -d $folder ]]; do folder=$(dirname "$folder"); done
  printf '%s\n' "$folder"
}

require_own_file_system() {
  [[ $(stat -c %d "$(above "$1")") != $(stat -c %d /) ]] ||
    refuse "$1 on $HOSTNAME is on the root's file system, which a full volume would fill; mount a disk for it"
}

keep_old() {
  local kept
  printf -v kept '%s.kept-%(%Y%m%dT%H%M%S)T' "$1" -1
  log "keeping the brick that left the volume as $kept"
  require_claim
  mv -T "$1" "$kept"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 3)) || misuse "brick.sh takes COMPONENT VOLUME PATH, got: $*"
  export CHANGEOVER_COMPONENT=$1
  local path=$3
  if is_listed "$path"; then
    receipt "$HOSTNAME has the brick $path already"
    return
  fi
  require_own_file_system "$path"
  if was_brick "$path"; then
    keep_old "$path"
  elif [[ -e $path && -n $(ls -A "$path" 2>/dev/null || echo file) ]]; then
    refuse "$path on $HOSTNAME is not empty and was no brick; move it away, or name another path"
  fi
  mkdir -p "$path"
  receipt "$HOSTNAME has the folder $path for a brick"
}

{
  main "$@"
  exit
}
