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
