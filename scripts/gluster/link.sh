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
  [[ $(value_of "$(copy_record)" linked) == yes ]] || { receipt "no folder is linked to $VOLUME" && return; }
  if [[ -L $folder && -d $kept ]]; then
    refuse_users "$MOUNT"
    log "putting $kept back as $folder; what was written to $VOLUME since stays there"
    require_claim
    mv -T "$kept" "$folder.back"
    python3 "$here/exchange.py" "$folder.back" "$folder"
    rm -f "$folder.back"
  fi
  rm -f "$(copy_record)"
  receipt "$folder is the folder that it was before $VOLUME"
}

take_place() {
  local folder=$1 kept=$2 verified=$3 way=$4
  require_claim
  printf 'source=%s\nfolder=%s\nkept=%s\nlinked=yes\n' "$folder" "$folder" "$kept" | write_file "$(copy_record)"
  ln -sfnT "$MOUNT" "$folder.link"
  chown -h "$OWNER:" "$folder.link"
  python3 "$here/exchange.py" "$folder.link" "$folder"
  mv -T "$folder.link" "$kept"
  # What was written between the last copy and now.
  [[ $way == holds ]] || copy_over "$kept" --update
  receipt "$folder is a link to $VOLUME, the folder is kept as $kept; $verified,"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 7 && $7 =~ ^(copies|holds)$ ]] || misuse "link.sh takes COMPONENT VOLUME MOUNT OWNER FOLDER KEPT copies|holds, got: $*"
  export CHANGEOVER_COMPONENT=$1
  VOLUME=$2 MOUNT=$3 OWNER=$4
  local folder=$5 verified=''
  if [[ $folder == none ]]; then put_back && return; fi
  require_mounted
  # The folder may stand below a link to the release that runs.
  folder=$(realpath "$(dirname "$folder")")/${folder##*/}
  if [[ -L $folder && $(readlink "$folder") == "$MOUNT" ]]; then receipt "$folder is a link to $VOLUME already" && return; fi
  [[ -d $folder && ! -L $folder ]] || refuse "$folder on $HOSTNAME is no folder; make it one, or leave replaces out"
  [[ ! -e $6 ]] || refuse "$6 on $HOSTNAME is there already; name another folder in kept"
  refuse_users "$folder"
  if [[ $7 == copies ]]; then copy_over "$folder" --delete; fi
  local way=held
  [[ $7 == holds ]] || way=equal
  verified=$(timeout 7200 python3 "$here/files.py" "$way" "$folder" "$MOUNT" "$OWNER") ||
    refuse "$MOUNT has not what $folder on $HOSTNAME has; see above"
  take_place "$folder" "$6" "$verified" "$7"
}

{
  main "$@"
  exit
}
