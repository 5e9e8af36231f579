# Sourced by the scripts that make this machine stream from its peer.
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
  install -d -m 0700 "$keep"
  cp -a --sparse=always "${files[@]}" "$keep/"
  sync -f "$keep"
  log "set aside under $keep: $need KiB of log, $(commits_after "$fork" "$keep")"
}

# commits_after FORK FOLDER: the transactions in the log, for the operator who decides whether to enter them again.
commits_after() {
  "$PG_BIN/pg_waldump" --path="$2" --timeline="$(control_data 'Latest checkpoint.s TimeLineID')" --start="$1" --rmgr=Transaction 2>/dev/null |
    sed -n 's/.*desc: COMMIT \([0-9: .-]*[0-9]\) *[;A-Z].*/\1/p' |
    awk 'NR == 1 { first = $0 } { last = $0 }
      END { print NR ? NR " transactions from " first " to " last : "no transaction" }' || true
}

# A crashed server replays its own log first, without its peer: the peer's log would overwrite what only this machine has.
# It runs in single-user mode, not as a standby, because pg_rewind needs the last timeline in the control file. Only the
# checkpoint at the end of a recovery writes it there. The record `down` prevents a start meanwhile.
recover_alone() {
  log "recovering PostgreSQL on $SELF from its own log only"
  rm -f "$DATA/standby.signal"
  as_postgres "$PG_BIN/postgres" --single -D "$DATA" -c config_file="$SETTINGS/postgresql.conf" template1 </dev/null >&2 ||
    timed_out "PostgreSQL on $SELF does not recover"
  as_standby
}

# Ends with 1 when there is nothing to rewind, with 2 when pg_rewind cannot. Sets `fork`, where this machine diverged.
find_fork() {
  said=$(LC_ALL=C as_postgres "$PG_BIN/pg_rewind" --dry-run -D "$DATA" --source-server="$(peer_server)" 2>&1) || return 2
  fork=$(sed -n 's/.*diverged at WAL location \([0-9A-F/]*\).*/\1/p' <<<"$said")
  [[ -n $fork && $said != *'no rewind required'* ]]
}

# Whether a rewind stopped after its last act, the change of the control file, and before a reboot could lose data.
was_rewound() {
  [[ $(cat "$(records)/rewinding" 2>/dev/null) == "$(</proc/sys/kernel/random/boot_id)" &&
  $(control_data 'Database cluster state') == 'in archive recovery' ]] && sync -f "$DATA"
}

# copy_anew WHY [older]: replace this machine's data by a copy of the peer's. The old data is set aside for a person to
# delete. With `older` it is deleted: it has nothing that the peer has not.
copy_anew() {
  local aside
  aside=$DATA.aside-$(value_of "$(records)/claim" epoch)
  log "$SELF cannot follow $PEER with its own data: $1; copying the data of $PEER"
  keep_slot
  copy_from_peer "$DATA.copying" -S "$(slot_of "$SELF")"
  change_places "$DATA.copying" "$DATA"
  if [[ ${2:-} == older ]]; then
    rm -rf "$DATA.copying"
    return 0
  fi
  if [[ -e $aside ]]; then rm -rf "$DATA.copying"; else mv "$DATA.copying" "$aside"; fi
  log "the old data of $SELF is set aside as $aside; delete it when it is not needed"
}

# A half-rewound server must not start: the record `rewinding` stops the scripts and the watch.
rewind() {
  local fork='' said='' found=0
  stop_server
  was_rewound || find_fork || found=$?
  case $found in
    0)
      if [[ -n $fork ]]; then
        [[ -e $(records)/rewinding ]] || set_aside "$fork"
        log "rewinding $SELF to $fork"
        cat /proc/sys/kernel/random/boot_id >"$(records)/rewinding"
        as_postgres "$PG_BIN/pg_rewind" -D "$DATA" --source-server="$(peer_server)" >&2 ||
          timed_out "the rewind of $SELF failed; PostgreSQL on $SELF does not start until a rewind succeeds"
      fi
      ;;
    1) ;;
    *) copy_anew "${said##*$'\n'}" ;;
  esac
  as_standby
  rm -f "$(records)"/{rewinding,down}
  start_server
}

# is_on_peer_timeline 'TIMELINE POSITION': whether this machine streams on the peer's timeline and has reached POSITION or
# received log. A receiver that only tries also shows `streaming` for a moment.
is_on_peer_timeline() {
  local timeline=${1% *} mark=${1#* }
  [[ $(sql "select count(*) from pg_stat_wal_receiver where status = 'streaming' and received_tli = $timeline
    and (pg_last_wal_replay_lsn() >= '$mark' or flushed_lsn > receive_start_lsn)" 2>/dev/null) == 1 ]]
}

# Whether the peer has deleted the log that this machine needs next: this machine was down or paused for too long.
log_is_gone() {
  local next
  next=$(sql 'select pg_last_wal_replay_lsn()')
  [[ -n $next && $(peer_sql "select count(*) from pg_ls_waldir() where right(name, 16) = right(pg_walfile_name('$next'), 16)") == 0 ]]
}

# Stream from the peer: with the data as it is, else rewound, else copied from the peer.
follow_peer() {
  local way
  resume_streaming
  keep_slot || timed_out "PostgreSQL on $PEER rejects the connection from $SELF"
  way=$(peer_sql "select ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int, pg_current_wal_lsn()")
  way=${way/|/ }
  as_standby
  if [[ -e $(records)/down && ! -e $(records)/rewinding ]]; then
    is_running || [[ $(control_data 'Database cluster state') == 'shut down'* ]] || recover_alone
  elif [[ ! -e $(records)/rewinding ]]; then
    start_server
    ! becomes 8 is_on_peer_timeline "$way" || return 0
    log "$SELF does not stream from $PEER; checking whether its data diverged"
  fi
  rewind
  if ! becomes 20 is_on_peer_timeline "$way" && log_is_gone; then
    stop_server
    copy_anew "$PEER has deleted the log that $SELF needs" older
    start_server
  fi
  wait_until "$SELF streams from $PEER" 60 is_on_peer_timeline "$way"
}
