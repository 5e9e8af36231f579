# Sourced by the scripts that copy the directories and indexes of the machine that was production last.
# shellcheck shell=bash

# Times to the nanosecond: a file that is written again within the second of its copy, at the same size, is another.
readonly RSYNC=(rsync -aH --numeric-ids --delete --delete-delay --delay-updates --modify-window=-1 --contimeout=5 --timeout=30)

# What is copied is said in the pair's own log too (row 004-098). The script ends after its last line has arrived: whoever
# follows a step stops reading when there is a result.
log_to_pair_too() {
  [[ -d /var/log/$PAIR ]] || return 0
  exec 2> >(exec tee -a "/var/log/$PAIR/$PAIR-general.log" >&2)
  LOGS=$!
  trap 'exec 2>/dev/null; timeout 5 tail --pid="$LOGS" -s 0.05 -f /dev/null || true' EXIT
}

# When this machine was last promoted: a promotion that was only begun made nothing here newer.
serving_of() {
  local record
  record=$(records)/serving
  [[ $(value_of "$record" promoted) != no ]] || record+=.before
  value_of "$record" epoch
}

# Ends with 1 when this machine was production last: what the other has is older. Sets `served`, the other's epoch.
peer_was_production_last() {
  # An older release says `serving` only.
  served=$(python3 "$SCRIPTS/pair/ask.py" "$PAIR" served serving) || return 2
  served=${served#$'\n'} && served=${served%%$'\n'*}
  ((served > $(serving_of || echo 0) + 0))
}

# Why this machine is no target of a timer's copies now; empty when it is one.
why_no_target() {
  local status claim
  status=$(cat "/etc/$PAIR/$PAIR.status" 2>/dev/null || true)
  claim=$(records)/claim
  if [[ $status != standby && $status != production_as_standby ]]; then
    echo "its status is ${status:-not known}"
  elif [[ -e $(records)/down || -e $(records)/rewinding ]]; then
    echo "it is down"
  elif [[ $(value_of "$(records)/done/$(value_of "$claim" transition)" id) != "$(value_of "$claim" id)" ]]; then
    echo "a transition is open"
  fi
}

# What this machine wrote as production, and perhaps nobody else has, is kept: not after a switch that copied all of it.
# What was here before its first copy is kept too: nobody knows whose it is.
keeps_own() {
  local copied own fence
  [[ -e $(records)/copies/$1 ]] || return 0
  own=$(serving_of)
  copied=$(value_of "$(records)/copies/$1" serving)
  fence=$(records)/fence
  ((${own:-0} > ${copied:-0})) && [[ $(value_of "$fence" id)-$(value_of "$fence" was) != "$CHANGEOVER_ID-writer" ]]
}

# note_copy NAME TIME [PATH]
note_copy() {
  printf 'at=%s\nserving=%s\nfrom=%s\nmounted=%s\n' "$2" "$served" "$PEER" "$(is_mounted "${3:-}")" | write_file "$(records)/copies/$1"
}

is_mounted() { if mountpoint -q -- "$1"; then echo yes; else echo no; fi; }

# An empty folder is what is left of a disk that is not mounted: it would delete everything here, perhaps the only copy.
# And without its disk this machine would copy onto another one.
require_places() {
  local name=$1 path=$2 from=$3 there
  [[ $(value_of "$(records)/copies/$name" mounted) != yes || $(is_mounted "$path") == yes ]] ||
    refuse "$path on $SELF was a mount point when $name was last copied, and is none now; mount it"
  [[ -n $(find "$path" -mindepth 1 -maxdepth 1 ! -name lost+found -print -quit) ]] || return 0
  there=$(rsync --dirs --list-only --contimeout=5 --timeout=30 "--password-file=/etc/$PAIR/rsync.pass" --exclude=/lost+found "$from") ||
    timed_out "$name is not copied from $PEER, which does not say what it has"
  [[ $there == *$'\n'* ]] ||
    refuse "$name on $PEER is empty, here it is not, so nothing is deleted: see whether $path is mounted on $PEER; if it is to be empty, empty it here too"
}

# How exact times are to be compared: a disk that keeps whole seconds would differ for ever.
window_of() {
  # Not with -q: find would fail when its reader leaves.
  # shellcheck disable=SC2143
  if [[ -n $(find "$1" -type f -printf '%T@\n' | grep -m 1 -v '\.0*$') ]]; then echo -1; else echo 0; fi
}

# copy_directory near|last NAME PATH
copy_directory() {
  local how=$1 name=$2 path=$3 from keep at=$EPOCHSECONDS rc=0 left
  local -a aside=() durable=()
  from=rsync://changeover@$PEER_ADDRESS:$(carried rsync_port=)/$name/
  # A folder for each run: a second one must not put a copy of the other's over what the first one set aside.
  keep=$(records)/set-aside/$served-$(monotonic_ms)/$name
  ! keeps_own "$name" || aside=(--backup "--backup-dir=$keep")
  mkdir -p "$path" || timed_out "$path can't be made on $SELF"
  require_places "$name" "$path" "$from"
  # Users wait for the last copy: its files are put on the disk, not all that the disk has.
  [[ $how == near ]] || durable=(--fsync)
  "${RSYNC[@]}" "--password-file=/etc/$PAIR/rsync.pass" "${durable[@]}" "${aside[@]}" "$from" "$path/" >&2 || rc=$?
  # 24: a file was gone before it was read, as files of a machine that serves are.
  [[ $rc == 0 || $rc-$how == 24-near ]] || timed_out "$name is not copied from $PEER (rsync ends with $rc)"
  if [[ $how == last ]]; then
    left=$("${RSYNC[@]}" "--password-file=/etc/$PAIR/rsync.pass" "--modify-window=$(window_of "$path")" --dry-run --itemize-changes "$from" "$path/") ||
      timed_out "nobody could compare $name with $PEER"
    [[ -z $left ]] || timed_out "$name differs from $PEER after its copy: ${left//$'\n'/, }"
  fi
  if [[ -d $keep ]]; then log "what only $SELF had of $name is set aside under $keep: $(find "$keep" -type f | wc -l) files"; fi
  # A takeover is written down on the disk: so must be what it takes over.
  [[ $how == last ]] || timeout 300 sync -f "$path" || timed_out "$path is not on the disk of $SELF yet"
  note_copy "$name" "$at" "$path"
  log "$name is as on $PEER$([[ $how == near ]] || echo ': a dry run shows no difference')"
}

# copy_index near|last NAME
copy_index() {
  local at=$EPOCHSECONDS
  if [[ $1 == last ]]; then set -- "$1" "$2" --final; else set -- "$1" "$2"; fi
  python3 "$SCRIPTS/pair/copy-index.py" "$PAIR" "${@:2}" >&2 || timed_out "index $2 is not copied from $PEER"
  note_copy "$2" "$at"
}

# copy_files near|last: all at once; each is tried, whatever becomes of the others.
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
