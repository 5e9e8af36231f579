# Sourced by fence.sh and step-down.sh: stop the server while users wait, and find the position of its log.
# shellcheck shell=bash

# Start the server read-only in 2 s, in the background. If its stop takes longer, a later step starts the server.
return_read_only() {
  systemd-run --quiet --collect --no-block --on-active=2 --timer-property=AccuracySec=100ms systemctl start "$UNIT"
}

has_ended() { [[ ! -e /proc/$1/cwd ]] || [[ $(<"/proc/$1/stat") == *') Z '* ]]; }
has_written_all() { has_ended "$1" || [[ $(control_data 'Database cluster state') == 'shut down' ]]; }

# A client that connects during the stop and falls silent would delay the server's end by a minute, after all log is
# written.
stop_at_once() {
  kill -INT "$1"
  return_read_only &
  becomes 1 has_ended "$1" || becomes 13 has_written_all "$1" || log "PostgreSQL on $SELF does not stop cleanly within 14 s; killing it"
  has_ended "$1" || systemctl kill --signal=KILL "$UNIT"
  wait_until "PostgreSQL on $SELF ends" 15 has_ended "$1"
}

# Whether a standby has read its own log to the end: then it streams, or waits to stream.
has_read_its_own() {
  [[ $(sql "select pg_last_wal_receive_lsn() is not null or exists (select from pg_stat_activity
    where backend_type = 'startup' and wait_event in ('RecoveryWalStream', 'RecoveryRetrieveRetryInterval'))") == t ]]
}

has_read_or_ended() { ! is_running || has_read_its_own; }

# Whether the peer accepts writes already, so that nobody is promoted by what this machine has.
peer_serves() { [[ $(python3 "$SCRIPTS/pair/ask_peer.py" "$PAIR" in_recovery 2>/dev/null) == false ]]; }

# Sets `position`, up to which this machine has log. After a clean stop it is one byte past the beginning of the shutdown
# checkpoint: a server that replayed up to there has replayed that record. Else the server must recover to know it.
find_position() {
  local control
  control=$(LC_ALL=C "$PG_BIN/pg_controldata" "$DATA" 2>/dev/null) || true
  if [[ -e $(records)/rewinding ]] || is_down || { [[ $was != writer ]] && peer_serves; }; then
    # Data that only this machine has is not part of the pair, and will be set aside.
    position=0/0
  elif [[ -n ${unusable:-} ]]; then
    # What this machine wrote last is not known, so no standby is promoted after it; a machine that writes already serves on.
    position=FFFFFFFF/FFFFFFFF
  elif [[ $1 == stopped && $control =~ 'Database cluster state:'\ *'shut down'$'\n' ]]; then
    [[ $control =~ 'Latest checkpoint location:'\ *([0-9A-F]+)/([0-9A-F]+) ]]
    printf -v position '%s/%X' "${BASH_REMATCH[1]}" $((16#${BASH_REMATCH[2]} + 1))
  else
    start_server
    becomes 60 has_read_or_ended || true
    is_running ||
      refuse "$SELF cannot say what it wrote last: $(last_words). Restore its data, or give it up: add $SELF to changeover:unreachable"
    wait_until "$SELF has read its own log to the end" 1 has_read_its_own
    position=$(sql "select greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())")
  fi
}
