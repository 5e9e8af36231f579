# Sourced by scripts that copy a folder to a shared volume. They set `VOLUME`, `MOUNT` and `OWNER`.
# shellcheck shell=bash

# The record of what was done with the folder that the volume replaces.
copy_record() { printf '%s/copy\n' "$(records)"; }

require_mounted() {
  { is_mounted "$MOUNT" && has_marker "$MOUNT"; } ||
    timed_out "$VOLUME is not mounted at $MOUNT on $HOSTNAME, so nothing is copied; see: systemctl status '$(unit_of "$MOUNT")'"
}

# copy_over SOURCE [WORD…]: copy what is new or changed since the last copy. WORDs are for rsync.
copy_over() {
  local source=$1
  shift
  timeout 21600 rsync -aHX --chown="$OWNER:$OWNER" --exclude=/.changeover "$@" "$source/" "$MOUNT/" >&2 ||
    timed_out "rsync from $source to $MOUNT ended with $?"
  chown "$OWNER:" "$MOUNT"
}

# A copy deletes what is only in the volume, so other files there are refused.
require_own_copy() {
  [[ ! -e $(copy_record) ]] || return 0
  local others
  others=$(find "$MOUNT" -mindepth 1 -maxdepth 1 ! -name .changeover | wc -l)
  ((others == 0)) || refuse "$VOLUME has $others entries that $HOSTNAME did not copy; move them away, or remove replaces and copyFrom"
}

# Copy what changed since the last copy. If the volume was in use meanwhile, its newer files stay.
copy_changes() {
  if [[ $(value_of "$(copy_record)" undone) == yes ]]; then copy_over "$1" --update; else copy_over "$1" --delete; fi
}

# take_place FOLDER KEPT: put the link in the folder's place. An earlier run may have done any part of it.
take_place() {
  local folder=$1 kept=$2
  if [[ ! -L $folder ]]; then
    require_claim
    mkdir -p "$(dirname "$kept")"
    printf 'folder=%s\nkept=%s\nlinked=yes\n' "$folder" "$kept" | write_file "$(copy_record)"
    ln -sfnT "$MOUNT" "$folder.link"
    chown -h "$OWNER:" "$folder.link"
    python3 -I "$GLUSTER/exchange.py" "$folder.link" "$folder"
  fi
  [[ ! -d $folder.link || -L $folder.link ]] || mv -T "$folder.link" "$kept"
}

# Copy what was written between the last copy and the exchange, once.
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
  [[ ! -d $kept ]] || mv -T "$kept" "$folder.back"
  [[ ! -L $folder || ! -d $folder.back ]] || python3 -I "$GLUSTER/exchange.py" "$folder.back" "$folder"
  [[ ! -L $folder.back ]] || rm -f "$folder.back"
  [[ -d $folder && ! -L $folder ]] || refuse "$kept on $HOSTNAME is missing, so $folder stays a link to $VOLUME; restore $kept by hand"
  printf 'folder=%s\nundone=yes\n' "$folder" | write_file "$(copy_record)"
}
