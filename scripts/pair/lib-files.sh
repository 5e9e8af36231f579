# Sourced by the scripts that copy directories and indexes from the peer, if the peer was production last.
# shellcheck shell=bash

# confined PATH ASIDE COMMAND…: PATH may belong to another account, which could place a link in it at any moment. COMMAND sees it as
# /folder, ASIDE as /aside and the secret of the copies as /file, and reaches nothing else.
confined() { python3 -I "$SCRIPTS/pair/confine.py" "$1" "$2" "/etc/$PAIR/rsync.pass" "${@:3}"; }

# Compares times to the nanosecond: a file may change within the second of its copy and keep its size.
readonly RSYNC=(rsync -aH --numeric-ids --delete --delete-delay --delay-updates --modify-window=-1 --contimeout=5 --timeout=30)

# Write this script's log lines to the pair's own log too. The script ends after its last line has arrived, because the
# follower of a step stops reading at the result.
log_to_pair_too() {
  [[ -d /var/log/$PAIR ]] || return 0
  # A folder of another account could lead root's lines into any file.
  python3 -I "$SCRIPTS/handles.py" "/var/log/$PAIR/$PAIR-general.log" || { log "nothing is written to /var/log/$PAIR" && return; }
  exec 2> >(exec tee -a "/var/log/$PAIR/$PAIR-general.log" >&2)
  LOGS=$!
  trap 'exec 2>/dev/null; timeout 5 tail --pid="$LOGS" -s 0.05 -f /dev/null || true' EXIT
}

# The epoch at which this machine was last promoted. A promotion that only began made no data here newer.
serving_of() {
  local record
  record=$(records)/serving
  [[ $(value_of "$record" promoted) != no ]] || record+=.before
  value_of "$record" epoch
}

# Whether the peer was production last; ends with 2 when the peer does not answer. Sets `served`, the peer's epoch.
peer_was_production_last() {
  local own
  served=$(python3 "$SCRIPTS/pair/ask_peer.py" "$PAIR" served) || return 2
  [[ $served =~ ^($A_NUMBER)$ ]] || return 2
  own=$(serving_of)
  [[ $own =~ ^($A_NUMBER)$ ]] || own=0
  ((served > own))
}

# Why this machine must not copy now; empty when it may.
why_no_target() {
  local status claim
  status=$(cat "/etc/$PAIR/$PAIR.status" 2>/dev/null || true)
  claim=$(records)/claim
  if [[ $status != standby && $status != production_as_standby ]]; then
    echo "its status is ${status:-not known}"
  elif is_down || [[ -e $(records)/rewinding ]]; then
    echo "it is down"
  elif [[ $(value_of "$(records)/done/$(value_of "$claim" transition)" id) != "$(value_of "$claim" id)" ]]; then
    echo "a transition is open"
  fi
}

# keeps_own NAME: whether a copy must set aside the files that it replaces. Yes after this machine was production, unless
# this switch fenced it and its peer copied all. Yes for files from before the first copy: their owner is unknown.
keeps_own() {
  local copied own fence
  [[ -e $(records)/copies/$1 ]] || return 0
  own=$(serving_of)
  copied=$(value_of "$(records)/copies/$1" serving)
  fence=$(records)/fence
  [[ $own =~ ^($A_NUMBER)$ ]] || own=0
  [[ $copied =~ ^($A_NUMBER)$ ]] || copied=0
  ((own > copied)) && [[ $(value_of "$fence" id)-$(value_of "$fence" was) != "$CHANGEOVER_ID-writer" ]]
}

# note_copy NAME TIME [PATH]: record a copy.
note_copy() {
  printf 'at=%s\nserving=%s\nfrom=%s\nmounted=%s\n' "$2" "$served" "$PEER" "$(is_mounted "${3:-}")" | write_file "$(records)/copies/$1"
}

is_mounted() { if mountpoint -q -- "$1"; then echo yes; else echo no; fi; }

# require_places NAME PATH SOURCE: a disk that is not mounted leaves an empty folder. On the peer it would delete the only
# copy here; on this machine the copy would fill another disk.
require_places() {
  local name=$1 path=$2 from=$3 there
  [[ $(value_of "$(records)/copies/$name" mounted) != yes || $(is_mounted "$path") == yes ]] ||
    refuse "$path on $SELF is not mounted, but was mounted at the last copy of $name; mount it"
  [[ -n $(find "$path" -mindepth 1 -maxdepth 1 ! -name lost+found -print -quit) ]] || return 0
  there=$(rsync --dirs --list-only --contimeout=5 --timeout=30 "--password-file=/etc/$PAIR/rsync.pass" --exclude=/lost+found "$from") ||
    timed_out "$name was not copied from $PEER: its rsync daemon does not list the files"
  [[ $there == *$'\n'* ]] ||
    refuse "$name on $PEER is empty, and not empty on $SELF; nothing was deleted. Mount $path on $PEER; if it must be empty, empty it on $SELF too"
}

# window_of PATH: the precision of rsync's comparison. A disk that keeps whole seconds would always differ.
window_of() {
  # Not grep -q: find would fail when grep ends first.
  # shellcheck disable=SC2143
  if [[ -n $(find "$1" -type f -printf '%T@\n' | grep -m 1 -v '\.0*$') ]]; then echo -1; else echo 0; fi
}

# copy_directory near|last NAME PATH: copy one directory from the peer, and record it.
copy_directory() {
  local how=$1 name=$2 path=$3 from keep at=$EPOCHSECONDS rc=0 left
  local -a aside=() durable=()
  from=rsync://changeover@$PEER_ADDRESS:$(carried rsync_port=)/$name/
  # Each run has its own folder, so that a second run never overwrites what the first one set aside.
  keep=none
  if keeps_own "$name"; then
    keep=$(records)/set-aside/$served-$(monotonic_ms)/$name
    aside=(--backup --backup-dir=/aside)
    # Files of a folder that only its owner reads stay so.
    install -d -m 0700 "$(records)/set-aside" "${keep%/*}" "$keep" || timed_out "cannot create $keep on $SELF"
  fi
  [[ -d $path ]] || confined "$path" none true || exit "$?"
  require_places "$name" "$path" "$from"
  # Users wait for the last copy, so it syncs its own files only, not the whole disk.
  [[ $how == near ]] || durable=(--fsync)
  confined "$path" "$keep" "${RSYNC[@]}" --password-file=/file "${durable[@]}" "${aside[@]}" "$from" /folder/ >&2 || rc=$?
  [[ $keep == none || -n $(ls -A "$keep") ]] || { rmdir -p --ignore-fail-on-non-empty "$keep" && keep=none; }
  # 24: a file was deleted before it was read, which is normal while production serves.
  [[ $rc == 0 || $rc-$how == 24-near ]] || timed_out "$name was not copied from $PEER: rsync ended with $rc"
  if [[ $how == last ]]; then
    left=$(confined "$path" none "${RSYNC[@]}" --password-file=/file "--modify-window=$(window_of "$path")" --dry-run --itemize-changes "$from" /folder/) ||
      timed_out "cannot compare $name with $PEER: rsync failed"
    [[ -z $left ]] || timed_out "$name differs from $PEER after its copy: ${left//$'\n'/, }"
  fi
  if [[ $keep != none ]]; then log "$(find "$keep" -type f | wc -l) files of $name that only $SELF had are set aside under $keep"; fi
  # Files must be on the disk before the record of their copy.
  [[ $how == last ]] || timeout 300 sync -f "$path" || timed_out "$path was not synced to the disk of $SELF within 300 s"
  note_copy "$name" "$at" "$path" || timed_out "the copy of $name is not on record on $SELF"
  log "$name is the same as on $PEER$([[ $how == near ]] || echo ': a dry run shows no difference')"
}

# copy_index near|last NAME: copy one index from the peer, and record it.
copy_index() {
  local at=$EPOCHSECONDS
  if [[ $1 == last ]]; then set -- "$1" "$2" --final; else set -- "$1" "$2"; fi
  python3 "$SCRIPTS/pair/copy-index.py" "$PAIR" "${@:2}" >&2 || timed_out "index $2 was not copied from $PEER"
  note_copy "$2" "$at" || timed_out "the copy of $2 is not on record on $SELF"
}

# copy_files near|last: copy all directories and indexes at once. Each is tried, also when another one fails.
copy_files() {
  local name path job failed=0
  local -a jobs=()
  install -d "$(records)/copies"
  while IFS='=' read -r name path; do
    copy_directory "$1" "$name" "$path" &
    jobs+=($!)
  done < <(carried directories.)
  while IFS='=' read -r name _; do
    copy_index "$1" "${name%.core}" &
    jobs+=($!)
  done < <(carried indexes. | grep '\.core=')
  for job in "${jobs[@]}"; do wait "$job" || failed=1; done
  return "$failed"
}
