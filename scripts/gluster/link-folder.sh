#!/usr/bin/env bash
# Replace a folder by a link to a shared volume, or put the folder back.
# Usage: link-folder.sh COMPONENT VOLUME MOUNT OWNER FOLDER|none KEPT|none copies|holds
#
# With `copies` the folder's last changes are copied, and the copy is verified (count, size,
# checksum, owner, mode). With `holds` the volume must have the whole folder already. Then the link
# takes the folder's place in one system call, and the folder is kept as KEPT. `none` puts the kept
# folder back as it was. Refuses (77) differences, and a folder that any process uses.

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
  if [[ $(value_of "$(copy_record)" linked) != yes ]]; then receipt "no folder of $HOSTNAME is a link to $VOLUME" && return; fi
  refuse_users "$MOUNT"
  log "putting $kept back as $folder; later files of $VOLUME stay in the volume"
  require_claim
  give_back "$folder" "$kept"
  receipt "$folder is the folder from before $VOLUME again"
}

refuse_unready() {
  local folder=$1 kept=$2
  [[ -d $folder && ! -L $folder ]] || refuse "$folder on $HOSTNAME is not a folder; create it, or remove replaces"
  [[ ! -e $kept ]] || refuse "$kept on $HOSTNAME exists already; name another folder in kept"
  refuse_users "$folder"
}

# verify FOLDER equal|held: print the line that says what was compared.
verify() {
  enclosed "$1" "$MOUNT" timeout 7200 python3 -I /scripts/gluster/compare-folders.py "$2" /source /copy "$OWNER" "$(id -u "$OWNER")" "$(id -g "$OWNER")" ||
    refuse "$MOUNT differs from $1 on $HOSTNAME; the differences are listed above"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 7 && $7 =~ ^(copies|holds)$ ]] || misuse "link-folder.sh takes COMPONENT VOLUME MOUNT OWNER FOLDER KEPT copies|holds, got: $*"
  export CHANGEOVER_COMPONENT=$1
  VOLUME=$2 MOUNT=$3 OWNER=$4
  local folder=$5 kept=$6 how=held verified='linked before'
  if [[ $folder == none ]]; then put_back && return; fi
  require_mounted
  # The folder may be below a link to the running release, which is root's.
  require_own_path "$(dirname "$folder")"
  folder=$(realpath "$(dirname "$folder")")/${folder##*/}
  if [[ $(readlink "$folder") != "$MOUNT" ]]; then
    refuse_unready "$folder" "$kept"
    [[ $7 != copies || $(value_of "$(copy_record)" undone) == yes ]] || how=equal
    if [[ $7 == copies ]]; then copy_changes "$folder"; fi
    verified=$(verify "$folder" "$how")
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
