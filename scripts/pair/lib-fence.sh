# Sourced by fence.sh: how a server is stopped while users wait, and what it has then.
# shellcheck shell=bash

# Beside what users wait for; a stop that takes longer than this is followed by a start in a later step.
return_read_only() {
  systemd-run --quiet --collect --no-block --on-active=2 --timer-property=AccuracySec=100ms systemctl start "$UNIT"
}

has_ended() { [[ ! -e /proc/$1/cwd ]] || [[ $(<"/proc/$1/stat") == *') Z '* ]]; }
has_written_all() { has_ended "$1" || [[ $(control_data 'Database cluster state') == 'shut down' ]]; }

# The server waits a minute for a client that came while it stopped and then fell silent, though all is written.
stop_at_once() {
  kill -INT "$1"
  return_read_only &
  becomes 1 has_ended "$1" || becomes 13 has_written_all "$1" || log "PostgreSQL on $SELF does not stop in order"
  has_ended "$1" || systemctl kill --signal=KILL "$UNIT"
  wait_until "PostgreSQL on $SELF ends" 15 has_ended "$1"
}

# Whether a standby knows all that it has: it hears of more from elsewhere, or waits for that.
has_read_its_own() {
  [[ $(sql "select pg_last_wal_receive_lsn() is not null or exists (select from pg_stat_activity
    where backend_type = 'startup' and wait_event in ('RecoveryWalStream', 'RecoveryRetrieveRetryInterval'))") == t ]]
}

# What this machine has, as one that accepts no write, in `position`. One byte past the beginning of the shutdown
# checkpoint: who has replayed that far has replayed the record. A server that did not stop in order must recover to know.
find_position() {
  local control
  control=$(LC_ALL=C "$PG_BIN/pg_controldata" "$DATA")
  if [[ -e $(records)/rewinding || -e $(records)/down ]]; then
    # What only this machine has is no part of the pair, and is set aside before anything else.
    position=0/0
  elif [[ $1 == stopped && $control =~ 'Database cluster state:'\ *'shut down'$'\n' ]]; then
    [[ $control =~ 'Latest checkpoint location:'\ *([0-9A-F]+)/([0-9A-F]+) ]]
    printf -v position '%s/%X' "${BASH_REMATCH[1]}" $((16#${BASH_REMATCH[2]} + 1))
  else
    start_server
    wait_until "$SELF has read its own log to the end" 60 has_read_its_own
    position=$(sql "select greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())")
  fi
}
