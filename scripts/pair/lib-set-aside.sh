# Sourced by lib-follow.sh: what this machine has and its peer has not is kept, before a rewind or a copy replaces it.
# shellcheck shell=bash

# set_aside FORK: keep the log from position FORK on, which only this machine has, before it is rewound.
set_aside() {
  local fork=$1 keep file first need room
  local -a files
  keep=$(records)/set-aside/$(value_of "$(records)/claim" epoch)-${fork//\//-}
  printf -v first '%08X%08X' $((16#${fork%/*})) $((16#${fork#*/} >> 24))
  for file in "$DATA"/pg_wal/[0-9A-F]*; do
    [[ $file == *.history || (${#file} -eq $((${#DATA} + 32)) && ! ${file: -16} < $first) ]] && files+=("$file")
  done
  need=$(du -ck "${files[@]}" | tail -n 1 | cut -f 1)
  room=$(df -k --output=avail "$(records)" | tail -n 1)
  ((room > need + 102400)) || refuse "$(records) on $SELF has $room KiB free (needed: $need KiB of log that only $SELF has, and 100 MiB); make room"
  { install -d -m 0700 "$keep" && cp -a --sparse=always "${files[@]}" "$keep/" && sync -f "$keep"; } ||
    timed_out "the log that only $SELF has can't be kept under $keep; nothing was rewound"
  log "set aside under $keep: $need KiB of log, $(commits_after "$fork" "$keep")"
}

# commits_after FORK FOLDER: the transactions in the log, for the operator who decides whether to enter them again.
commits_after() {
  "$PG_BIN/pg_waldump" --path="$2" --timeline="$(control_data 'Latest checkpoint.s TimeLineID')" --start="$1" --rmgr=Transaction 2>/dev/null |
    sed -n 's/.*desc: COMMIT \([0-9: .-]*[0-9]\) *[;A-Z].*/\1/p' |
    awk 'NR == 1 { first = $0 } { last = $0 }
      END { print NR ? NR " transactions from " first " to " last : "no transaction" }' || true
}

# copy_anew WHY: replace this machine's data by a copy of the peer's. The old data is set aside for a person to delete.
copy_anew() {
  local aside
  printf -v aside '%s.aside-%(%Y%m%dT%H%M%S)T' "$DATA" -1
  ! is_of_the_machine "$1" || refuse "PostgreSQL on $SELF does not start: $1. Its data stays as it is; mend this, then $(start_again)"
  log "$SELF cannot follow $PEER with its own data: $1; copying the data of $PEER"
  name_lost_slots
  keep_slot
  copy_from_peer "$DATA.copying" -S "$(slot_of "$SELF")"
  stop_server
  put_in_place "$DATA.copying" "$aside"
  [[ ! -e $aside ]] || log "the old data of $SELF is set aside as $aside; delete it when it is not needed"
  as_standby
  not_down
  rm -f "$(records)/rewinding"
  start_server
}

# is_of_the_machine WORDS: whether the server ended for a cause that a copy of the data doesn't mend.
is_of_the_machine() {
  [[ $1 =~ 'No space left'|'Permission denied'|'Cannot allocate'|'shared memory'|'semaphores'|'could not bind'|'lock file'|'configuration file'|'configuration parameter'|'invalid value for parameter'|'insufficient parameter settings'|'could not access file'|'could not load library'|'wrong ownership'|'invalid permissions'|'Read-only file system'|'Input/output error' ]]
}

# Slots of others don't survive a rewind or a copy, since their log is another one by now.
name_lost_slots() {
  local slot
  for slot in "$DATA"/pg_replslot/*/; do
    slot=${slot%/} && slot=${slot##*/}
    [[ $slot == '*' || $slot == "$(slot_of "$PEER")" ]] || log "replication slot $slot of $SELF ends; its owner must make it anew"
  done
}
