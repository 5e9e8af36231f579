#!/usr/bin/env bash
# Copy a folder into a shared volume while it is still in use, so that the last copy is short.
# Usage: copy.sh COMPONENT VOLUME MOUNT OWNER SOURCE
#
# What is no more in the folder goes from the copy too. Does nothing when the folder is a link
# to the volume already. Refuses (77) a volume that has files which no copy of this host made.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/gluster/lib-mount.sh
. "$here/lib-mount.sh"
# shellcheck source=scripts/gluster/lib-copy.sh
. "$here/lib-copy.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 5)) || misuse "copy.sh takes COMPONENT VOLUME MOUNT OWNER SOURCE, got: $*"
  export CHANGEOVER_COMPONENT=$1
  VOLUME=$2 MOUNT=$3 OWNER=$4
  local source=$5
  require_mounted
  if [[ -L $source || $(value_of "$(copy_record)" linked) == yes ]]; then
    receipt "$source is a link to $VOLUME already"
    return
  fi
  [[ -d $source ]] || refuse "$source on $HOSTNAME is no folder, so there is nothing to copy; name the host that has it in copyFrom"
  require_ours
  require_claim
  [[ -e $(copy_record) ]] || printf 'folder=%s\n' "$source" | write_file "$(copy_record)"
  log "copying $source to $MOUNT"
  copy_changes "$source"
  receipt "$source is copied to $VOLUME"
}

{
  main "$@"
  exit
}
