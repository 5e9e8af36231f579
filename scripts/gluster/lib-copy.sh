# Sourced by scripts that copy a folder into a shared volume: `VOLUME`, `MOUNT`, `OWNER` are theirs.
# shellcheck shell=bash

# What this component has done with the folder that the volume takes the place of.
copy_record() { printf '%s/copy\n' "$(records)"; }

require_mounted() {
  { is_mounted "$MOUNT" && has_marker "$MOUNT"; } ||
    timed_out "$VOLUME is not mounted at $MOUNT on $HOSTNAME: nothing is copied into a bare folder"
}

# copy_over SOURCE [WORD…]: what is new or changed since the last one.
copy_over() {
  local source=$1
  shift
  timeout 21600 rsync -aHX --chown="$OWNER:$OWNER" --exclude=/.changeover "$@" "$source/" "$MOUNT/" >&2 ||
    timed_out "rsync from $source to $MOUNT ended with $?"
  chown "$OWNER:" "$MOUNT"
}

# Files that have come into the volume by other ways must not be deleted by a copy.
require_ours() {
  [[ ! -e $(copy_record) ]] || return 0
  local others
  others=$(find "$MOUNT" -mindepth 1 -maxdepth 1 ! -name .changeover | wc -l)
  ((others == 0)) || refuse "$VOLUME has $others entries that no copy of this host made; move them away, or leave copyFrom out"
}

# What changed since the last copy. A volume that was in use meanwhile keeps what is newer there.
copy_changes() {
  if [[ $(value_of "$(copy_record)" undone) == yes ]]; then copy_over "$1" --update; else copy_over "$1" --delete; fi
}

# take_place FOLDER KEPT: link and folder change places; each part may have been done by an earlier run.
take_place() {
  local folder=$1 kept=$2
  if [[ ! -L $folder ]]; then
    require_claim
    mkdir -p "$(dirname "$kept")"
    printf 'folder=%s\nkept=%s\nlinked=yes\n' "$folder" "$kept" | write_file "$(copy_record)"
    ln -sfnT "$MOUNT" "$folder.link"
    chown -h "$OWNER:" "$folder.link"
    python3 "$GLUSTER/exchange.py" "$folder.link" "$folder"
  fi
  [[ ! -d $folder.link || -L $folder.link ]] || mv -T "$folder.link" "$kept"
}

# What was written between the last copy and the exchange, once.
copy_late() {
  local kept=$1 record
  [[ $(value_of "$(copy_record)" late) != copied && -d $kept ]] || return 0
  copy_over "$kept" --update
  record=$(<"$(copy_record)")
  printf '%s\nlate=copied\n' "$record" | write_file "$(copy_record)"
}

# The other way; what was written to the volume stays there.
give_back() {
  local folder=$1 kept=$2
  [[ ! -d $kept ]] || mv -T "$kept" "$folder.back"
  [[ ! -L $folder || ! -d $folder.back ]] || python3 "$GLUSTER/exchange.py" "$folder.back" "$folder"
  [[ ! -L $folder.back ]] || rm -f "$folder.back"
  [[ -d $folder && ! -L $folder ]] || refuse "$kept on $HOSTNAME is gone, so $folder stays a link to $VOLUME; put it back by hand"
  printf 'folder=%s\nundone=yes\n' "$folder" | write_file "$(copy_record)"
}
