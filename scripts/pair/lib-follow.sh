# Sourced by the scripts that make this machine stream from its peer.
# shellcheck shell=bash

# shellcheck source=scripts/pair/lib-set-aside.sh
. "${BASH_SOURCE[0]%/*}/lib-set-aside.sh"

# A crashed server replays its own log first, without its peer: the peer's log would overwrite what only this machine has.
# It runs in single-user mode, not as a standby, because pg_rewind needs the last timeline in the control file. Only the
# checkpoint at the end of a recovery writes it there. The record `down` prevents a start meanwhile.
recover_alone() {
  log "recovering PostgreSQL on $SELF from its own log only"
  no_standby
  local said
  said=$(as_postgres "$PG_BIN/postgres" --single -D "$DATA" -c config_file="$SETTINGS/postgresql.conf" template1 </dev/null 2>&1) || {
    as_standby
    why=$(printf '%s\n' "$said" | grep -aE '(FATAL|PANIC):' | tail -n 1)
    why=${why#* }
    return 1
  }
  as_standby
}

# Ends with 1 when there is nothing to rewind, with 2 when pg_rewind cannot. Sets `fork`, where this machine diverged.
find_fork() {
  said=$(LC_ALL=C as_postgres "$PG_BIN/pg_rewind" --dry-run -D "$DATA" --source-server="$(peer_server)" 2>&1) || return 2
  fork=$(sed -n 's/.*diverged at WAL location \([0-9A-F/]*\).*/\1/p' <<<"$said")
  [[ -n $fork && $said != *'no rewind required'* ]] || return 1
  [[ $fork =~ ^$A_POSITION$ ]] || return 2
}

# Whether a rewind stopped after its last act, the change of the control file, and before a reboot could lose data.
was_rewound() {
  [[ $(cat "$(records)/rewinding" 2>/dev/null) == "$(</proc/sys/kernel/random/boot_id)" &&
  $(control_data 'Database cluster state') == 'in archive recovery' ]] && sync -f "$DATA"
}

# Start, and say in `why` when the server ends. One that recovers for long counts as started.
starts() {
  note_log
  (start_server) 2>/dev/null || true
  ! is_running || return 0
  why=$(last_words)
  return 1
}

# A half-rewound server must not start: the record `rewinding` stops the scripts and the watch. Ends with 1, and sets `why`,
# when the data can't be rewound.
rewind() {
  local fork='' said='' found=0
  stop_server
  was_rewound || find_fork || found=$?
  why=${said##*$'\n'}
  ((found < 2)) || return 1
  if [[ $found == 0 && -n $fork ]]; then
    [[ -e $(records)/rewinding ]] || set_aside "$fork"
    log "rewinding $SELF to $fork"
    name_lost_slots
    write_file "$(records)/rewinding" </proc/sys/kernel/random/boot_id || timed_out "the rewind of $SELF can't be recorded; nothing was rewound"
    why="its rewind failed"
    as_postgres "$PG_BIN/pg_rewind" -D "$DATA" --source-server="$(peer_server)" >&2 || return 1
  fi
  as_standby
  { not_down && rm -f "$(records)/rewinding"; } || timed_out "the record that $SELF is down can't be removed"
  starts
}

# Sets `receiver`: `there` when this machine has replayed the peer's log up to the mark, else the process that receives it.
look_at_receiver() {
  local timeline=${1% *} mark=${1#* }
  receiver=$(SQL_LIMIT=10 sql "select case when pg_last_wal_replay_lsn() >= '$mark' then 'there' else pid::text end from pg_stat_wal_receiver
    where status = 'streaming' and received_tli = $timeline
    and (pg_last_wal_replay_lsn() >= '$mark' or flushed_lsn > receive_start_lsn)" 2>/dev/null) || receiver=''
}

# is_on_peer_timeline 'TIMELINE POSITION': whether this machine streams on the peer's timeline, and has reached POSITION or
# receives log without a break. Log that does not continue this machine's data ends each receiver at once.
is_on_peer_timeline() {
  local receiver before
  look_at_receiver "$1"
  before=$receiver
  [[ -n $before ]] || return 1
  [[ $before != there ]] || return 0
  pause 1.5
  look_at_receiver "$1"
  [[ $receiver == there || $receiver == "$before" ]]
}

# comes_to_follow 'TIMELINE POSITION' SECONDS: wait for as long as log is replayed (also before the server answers), and longer.
comes_to_follow() {
  local before='' now deadline=$(($(monotonic_ms) + $2 * 1000))
  until is_on_peer_timeline "$1"; do
    now=$(SQL_LIMIT=10 sql 'select pg_last_wal_replay_lsn()' 2>/dev/null) || now=$(pgrep -a -P "$(server_pid)" -f startup 2>/dev/null || true)
    [[ $now == "$before" ]] || { before=$now && deadline=$(($(monotonic_ms) + $2 * 1000)); }
    is_running || return 1
    (($(monotonic_ms) < deadline)) || return 1
    pause 0.2
  done
}

# Whether the peer has deleted the log that this machine needs next: this machine was down or paused for too long.
log_is_gone() {
  local next
  next=$(sql 'select pg_last_wal_replay_lsn()' 2>/dev/null)
  [[ -n $next && $(peer_sql "select count(*) from pg_ls_waldir() where right(name, 16) = right(pg_walfile_name('$next'), 16)") == 0 ]]
}

# Follow with the data as it is, else rewound. Ends with 1, and sets `why`, when neither is possible.
follow_with_own_data() {
  why=$unusable
  [[ -z $why ]] || return 1
  why="an earlier copy stopped half-way"
  [[ $(cat "$(records)/rewinding" 2>/dev/null) != copy ]] || return 1
  as_standby
  if is_down && [[ ! -e $(records)/rewinding ]]; then
    is_running || [[ $(control_data 'Database cluster state') == 'shut down'* ]] || recover_alone || return 1
  elif [[ ! -e $(records)/rewinding ]]; then
    starts || return 1
    ! comes_to_follow "$1" 8 || return 0
    log "$SELF does not stream from $PEER; checking whether its data diverged"
  fi
  rewind || return 1
  ! comes_to_follow "$1" 25 || return 0
  why="its data does not lead to the log of $PEER"
  if ! is_running; then why=$(last_words); elif log_is_gone; then why="$PEER has deleted the log that $SELF needs"; fi
  return 1
}

# Stream from the peer: with the data as it is, else rewound, else copied from the peer.
follow_peer() {
  local way why=''
  resume_streaming
  keep_slot || timed_out "PostgreSQL on $PEER rejects the connection from $SELF"
  way=$(peer_says "[0-9]{1,10}[|]$A_POSITION" "select ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int, pg_current_wal_lsn()") ||
    timed_out "PostgreSQL on $PEER does not say where it writes"
  way=${way/|/ }
  follow_with_own_data "$way" || copy_anew "$why"
  wait_until "$SELF streams from $PEER" 60 is_on_peer_timeline "$way"
}
