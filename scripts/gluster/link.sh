#!/usr/bin/env bash
# Have a link to a shared volume in the place of a folder, or the folder again.
# Usage: link.sh COMPONENT VOLUME MOUNT OWNER FOLDER|none KEPT|none copies|holds
#
# With `copies` the folder's last changes are copied and all of it verified (count, size,
# checksum, owner, mode); with `holds` the volume must have all of it already. Then folder and
# link change places in one act, and the folder is kept as KEPT. `none` puts it back, as it was
# then. Refuses (77) a difference, and while any process uses the folder.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/gluster/lib-mount.sh
. "$here/lib-mount.sh"
# shellcheck source=scripts/gluster/lib-copy.sh
. "$here/lib-copy.sh"

put_back() {
  local folder kept
  folder=$(value_of "$(copy_record)" folder) kept=$(value_of "$(copy_record)" kept)
  if [[ $(value_of "$(copy_record)" linked) != yes ]]; then receipt "no folder is a link to $VOLUME" && return; fi
  refuse_users "$MOUNT"
  log "putting $kept back as $folder; what was written to $VOLUME since stays there"
  require_claim
  give_back "$folder" "$kept"
  receipt "$folder is the folder that it was before $VOLUME"
}

refuse_unready() {
  local folder=$1 kept=$2
  [[ -d $folder && ! -L $folder ]] || refuse "$folder on $HOSTNAME is no folder; make it one, or leave replaces out"
  [[ ! -e $kept ]] || refuse "$kept on $HOSTNAME is there already; name another folder in kept"
  refuse_users "$folder"
}

# verify FOLDER WAY: the line that says what was compared.
verify() {
  timeout 7200 python3 "$here/files.py" "$2" "$1" "$MOUNT" "$OWNER" ||
    refuse "$MOUNT has not what $1 on $HOSTNAME has; see above"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 7 && $7 =~ ^(copies|holds)$ ]] || misuse "link.sh takes COMPONENT VOLUME MOUNT OWNER FOLDER KEPT copies|holds, got: $*"
  export CHANGEOVER_COMPONENT=$1
  VOLUME=$2 MOUNT=$3 OWNER=$4
  local folder=$5 kept=$6 way=held verified='linked before'
  if [[ $folder == none ]]; then put_back && return; fi
  require_mounted
  # The folder may stand below a link to the release that runs.
  folder=$(realpath "$(dirname "$folder")")/${folder##*/}
  if [[ $(readlink "$folder") != "$MOUNT" ]]; then
    refuse_unready "$folder" "$kept"
    [[ $7 != copies || $(value_of "$(copy_record)" undone) == yes ]] || way=equal
    if [[ $7 == copies ]]; then copy_changes "$folder"; fi
    verified=$(verify "$folder" "$way")
    log "$verified"
  fi
  take_place "$folder" "$kept"
  if [[ $7 == copies ]]; then copy_late "$kept"; fi
  receipt "$folder is a link to $VOLUME, the folder is kept as $kept; $verified,"
}

{
  main "$@"
  exit
}
