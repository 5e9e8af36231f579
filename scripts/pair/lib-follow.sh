# Sourced by the scripts that make this machine stream from its peer.
# shellcheck shell=bash

# What only this machine has, from the fork on, is kept before it is rewound: the log's files of 16 MiB from there.
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
  ((room > need + 102400)) || refuse "no room to set aside the $need KiB that only $SELF has ($room KiB free); make room in $(records)"
  install -d -m 0700 "$keep"
  cp -a --sparse=always "${files[@]}" "$keep/"
  sync -f "$keep"
  log "set aside under $keep: $need KiB of log; $(commits_after "$fork" "$keep")"
}

# In words, for the operator who decides whether somebody must enter them again.
commits_after() {
  "$PG_BIN/pg_waldump" --path="$2" --timeline="$(control_data 'Latest checkpoint.s TimeLineID')" --start="$1" --rmgr=Transaction 2>/dev/null |
    sed -n 's/.*desc: COMMIT \([0-9: .-]*[0-9]\) *[;A-Z].*/\1/p' |
    awk 'NR == 1 { first = $0 } { last = $0 }
      END { print NR ? NR " transactions of " first " to " last " are in it" : "no transaction is in it" }' || true
}

# A server that ended in disorder replays its own log first, and hears of nothing else: what its peer sends would be
# written over what only this machine has. Not as a standby, since only the checkpoint at the end of a recovery puts
# its last timeline into the control file, where pg_rewind looks. Meanwhile `down` keeps it from being started.
recover_alone() {
  log "recovering $SELF by its own log alone"
  rm -f "$DATA/standby.signal"
  as_postgres "$PG_BIN/postgres" --single -D "$DATA" -c config_file="/etc/postgresql/15/$PAIR/postgresql.conf" template1 </dev/null >&2 ||
    timed_out "PostgreSQL on $SELF does not recover"
  as_standby
}

# Ends with 1 when there is nothing to rewind, with 2 when it can't be. `fork` is where this machine went another way.
find_fork() {
  said=$(LC_ALL=C as_postgres "$PG_BIN/pg_rewind" --dry-run -D "$DATA" --source-server="$(peer_server)" 2>&1) || return 2
  fork=$(sed -n 's/.*diverged at WAL location \([0-9A-F/]*\).*/\1/p' <<<"$said")
  [[ -n $fork && $said != *'no rewind required'* ]]
}

# One that broke off after its last act, which is to change the control file, and before anything could be lost.
was_rewound() {
  [[ $(cat "$(records)/rewinding" 2>/dev/null) == "$(</proc/sys/kernel/random/boot_id)" &&
  $(control_data 'Database cluster state') == 'in archive recovery' ]] && sync -f "$DATA"
}

# copy_anew WHY [older]: the old data is kept whole beside the new, and whoever knows that it is not needed deletes it; data
# that is only older than the peer's is needed by nobody.
copy_anew() {
  local aside
  aside=$DATA.aside-$(value_of "$(records)/claim" epoch)
  log "$SELF can't go on from its own data to follow $PEER: $1"
  keep_slot
  copy_from_peer "$DATA.copying" -S "$(slot_of "$SELF")"
  change_places "$DATA.copying" "$DATA"
  if [[ ${2:-} == older ]]; then
    rm -rf "$DATA.copying"
    return 0
  fi
  if [[ -e $aside ]]; then rm -rf "$DATA.copying"; else mv "$DATA.copying" "$aside"; fi
  log "what $SELF had is set aside as $aside; delete it when nobody needs it"
}

# A half-rewound server must not be started: the record tells our scripts, and the watch.
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
          timed_out "rewinding $SELF broke off; it is not started until it is done"
      fi
      ;;
    1) ;;
    *) copy_anew "${said##*$'\n'}" ;;
  esac
  as_standby
  rm -f "$(records)"/{rewinding,down}
  start_server
}

# Whether this machine goes the peer's way: on its timeline, and either as far as the peer was, or hearing more. A receiver
# that only tries says `streaming` as well, for a moment.
goes_its_way() {
  local timeline=${1% *} mark=${1#* }
  [[ $(sql "select count(*) from pg_stat_wal_receiver where status = 'streaming' and received_tli = $timeline
    and (pg_last_wal_replay_lsn() >= '$mark' or flushed_lsn > receive_start_lsn)" 2>/dev/null) == 1 ]]
}

# Whether the peer has thrown away the log that this machine needs next: it was away, or stood still, for too long.
log_is_gone() {
  local next
  next=$(sql 'select pg_last_wal_replay_lsn()')
  [[ -n $next && $(peer_sql "select count(*) from pg_ls_waldir() where right(name, 16) = right(pg_walfile_name('$next'), 16)") == 0 ]]
}

# Stream from the peer: as it is, or rewound when this machine went another way, or copied when that is not enough.
follow_peer() {
  local way
  stand_still_no_more
  keep_slot || timed_out "PostgreSQL on $PEER does not let $SELF in"
  way=$(peer_sql "select ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int, pg_current_wal_lsn()")
  way=${way/|/ }
  as_standby
  if [[ -e $(records)/down && ! -e $(records)/rewinding ]]; then
    is_running || [[ $(control_data 'Database cluster state') == 'shut down'* ]] || recover_alone
  elif [[ ! -e $(records)/rewinding ]]; then
    start_server
    ! becomes 8 goes_its_way "$way" || return 0
    log "$SELF does not stream from $PEER; looking whether it went another way"
  fi
  rewind
  if ! becomes 20 goes_its_way "$way" && log_is_gone; then
    stop_server
    copy_anew "$PEER has no log any more from where $SELF is" older
    start_server
  fi
  wait_until "$SELF streams from $PEER" 60 goes_its_way "$way"
}
