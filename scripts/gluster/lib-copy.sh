# Sourced by scripts that copy a folder to a shared volume. They set `VOLUME`, `MOUNT` and `OWNER`.
# shellcheck shell=bash

# The record of what was done with the folder that the volume replaces.
copy_record() { printf '%s/copy\n' "$(records)"; }

require_mounted() {
  { is_mounted "$MOUNT" && has_marker "$MOUNT"; } ||
    timed_out "$VOLUME is not mounted at $MOUNT on $HOSTNAME, so nothing is copied; see: systemctl status '$(unit_of "$MOUNT")'"
}

# The owner's own folders are worked on by handles, and copied where nothing else of the host is to be seen.
places() { python3 -I "$GLUSTER/places.py" "$OWNER" "$@"; }
enclosed() { python3 -I "$GLUSTER/enclosed.py" "$OWNER" "$@"; }

# rsync says with 24 that a file was gone before its turn: the folder is in use, and is copied again.
readonly VANISHED=24

# copy_over SOURCE [WORD…]: copy what is new or changed since the last copy. WORDs are for rsync.
copy_over() {
  local source=$1 ids rc try
  shift
  ids=$(id -u "$OWNER"):$(id -g "$OWNER")
  for try in 1 2 3; do
    rc=0
    enclosed "$source" "$MOUNT" timeout 21600 rsync -aHXS --numeric-ids --chown="$ids" --exclude=/.changeover "$@" /source/ /copy/ >&2 || rc=$?
    ((rc == VANISHED)) || break
    log "files of $source were renamed or removed while they were copied (try $try)"
  done
  ((rc == 0 || rc == VANISHED)) || timed_out "rsync from $source to $MOUNT ended with $rc"
  chown -h "$OWNER:" "$MOUNT"
}

# A copy deletes what is only in the volume, so other files there are refused.
require_own_copy() {
  [[ ! -e $(copy_record) ]] || return 0
  local others
  others=$(find "$MOUNT" -mindepth 1 -maxdepth 1 ! -name .changeover -printf x | wc -c)
  ((others == 0)) || refuse "$VOLUME has $others entries that $HOSTNAME did not copy; move them away, or remove replaces and copyFrom"
}

# Copy what changed since the last copy. If the volume was in use meanwhile, its newer files stay.
copy_changes() {
  if [[ $(value_of "$(copy_record)" undone) == yes ]]; then copy_over "$1" --update; else copy_over "$1" --delete; fi
}

# move_folder FROM TO: also to another file system, where TO appears once it is whole.
move_folder() {
  local rc=0
  places move "$1" "$2" || rc=$?
  ((rc != 0)) || return 0
  ((rc == 18)) || refuse "$1 on $HOSTNAME can't be moved to $2, see above; move it by hand, and run again"
  places folder "$2.partial"
  enclosed "$1" "$2.partial" rsync -aHXS --numeric-ids --delete /source/ /copy/ >&2 || timed_out "rsync from $1 to $2 ended with $?"
  places move "$2.partial" "$2"
  rm -rf --one-file-system "$1"
}

# take_place FOLDER KEPT: put the link in the folder's place. An earlier run may have done any part of it.
take_place() {
  local folder=$1 kept=$2
  if [[ ! -L $folder ]]; then
    require_claim
    [[ -d $(dirname "$kept") ]] || { require_own_path "$(dirname "$kept")" && mkdir -p "$(dirname "$kept")"; }
    printf 'folder=%s\nkept=%s\nlinked=yes\n' "$folder" "$kept" | write_file "$(copy_record)"
    ln -sfnT "$MOUNT" "$folder.link"
    places exchange "$folder.link" "$folder"
  fi
  [[ ! -d $folder.link || -L $folder.link ]] || move_folder "$folder.link" "$kept"
}

# copy_late KEPT: copy what was written between the last copy and the exchange, once.
copy_late() {
  local kept=$1 record
  [[ $(value_of "$(copy_record)" late) != copied && -d $kept ]] || return 0
  copy_over "$kept" --update
  record=$(<"$(copy_record)")
  printf '%s\nlate=copied\n' "$record" | write_file "$(copy_record)"
}

# give_back FOLDER KEPT: put the folder back in the link's place. Files of the volume stay there.
give_back() {
  local folder=$1 kept=$2
  [[ ! -d $kept ]] || move_folder "$kept" "$folder.back"
  [[ ! -L $folder || ! -d $folder.back ]] || places exchange "$folder.back" "$folder"
  [[ ! -L $folder.back ]] || rm -f "$folder.back"
  [[ -d $folder && ! -L $folder ]] || refuse "$kept on $HOSTNAME is missing, so $folder stays a link to $VOLUME; restore $kept by hand"
  printf 'folder=%s\nundone=yes\n' "$folder" | write_file "$(copy_record)"
}
