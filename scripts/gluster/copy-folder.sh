#!/usr/bin/env bash
# Copy a folder to a shared volume while the folder is in use, so that the last copy is short.
# Usage: copy-folder.sh COMPONENT VOLUME MOUNT OWNER SOURCE
#
# Files that were deleted from the folder are deleted from the copy too. Does nothing when the
# folder is a link to the volume already. Refuses (77) a volume with files that this host did not copy.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/gluster/lib-mount.sh
. "$here/lib-mount.sh"
# shellcheck source=scripts/gluster/lib-copy.sh
. "$here/lib-copy.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 5)) || misuse "copy-folder.sh takes COMPONENT VOLUME MOUNT OWNER SOURCE, got: $*"
  export CHANGEOVER_COMPONENT=$1
  VOLUME=$2 MOUNT=$3 OWNER=$4
  local source=$5
  require_mounted
  require_own_path "$(dirname "$source")"
  if [[ -L $source || $(value_of "$(copy_record)" linked) == yes ]]; then
    receipt "$source is a link to $VOLUME already"
    return
  fi
  [[ -d $source ]] || refuse "$source on $HOSTNAME is not a folder; name the host that has the folder in copyFrom"
  require_own_copy
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
