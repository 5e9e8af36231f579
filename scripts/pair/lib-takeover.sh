# Sourced by takeover.sh: asks the peer, the network and this machine's server in parallel.
# shellcheck shell=bash

readonly asked=(claim.id fence.id postgres in_recovery standby_signal cluster fence.was fence.position)

# Ask the peer and the network, in parallel with the checks of this machine.
ask_others() {
  local probed=$link
  [[ -z $link ]] || ! holds_address || probed=''
  coproc OTHERS { exec python3 "$SCRIPTS/pair/takeover.py" "$PAIR" "${probed:-none}" "$SERVICE_ADDRESS" "${asked[@]}"; }
  exec 5<&"${OTHERS[0]}" 6>&"${OTHERS[1]}"
}

# Require the answer of the peer, read now, that this transition fenced it. Sets `position`, and what it was before in `was`.
require_fenced_peer() {
  local answered claimed fenced postgres recovering signal cluster
  read -t 10 -ru 5 answered || answered=silent
  [[ $answered == answered ]] || timed_out "$PEER does not answer whether it is fenced; nothing was promoted"
  { read -r claimed && read -r fenced && read -r postgres && read -r recovering && read -r signal && read -r cluster && read -r was && read -r position; } <&5
  [[ $claimed == "$CHANGEOVER_ID" && $fenced == "$CHANGEOVER_ID" ]] ||
    refuse "$PEER is not fenced by $CHANGEOVER_ID: its fence is of ${fenced:-no transition}, its claim of ${claimed:-none}; $(start_again)"
  # The server had stopped when the fence was recorded; every start since then is read-only. Without a database none starts.
  [[ $recovering == true || ($postgres != running && ($signal == true || $cluster == absent)) ]] ||
    refuse "$PEER is not fenced: its PostgreSQL is $postgres and may accept writes; $(start_again)"
}

# A server that accepts writes and was not promoted by this transition may have been promoted by a person, before it had all
# that the fenced production wrote. What a machine without usable data wrote is not known, and nobody waits for it.
require_all_writes() {
  local fork
  [[ $was == writer && $position != FFFFFFFF/* && $(value_of "$(records)/serving" id) != "$CHANGEOVER_ID" ]] || return 0
  fork=$(python3 "$SCRIPTS/pair/probe.py" "$PAIR" | python3 -I -c 'import json, sys; print(json.load(sys.stdin)["forked_at"] or "")')
  [[ -z $fork || $(sql "select '$fork'::pg_lsn >= '$position'") == t ]] ||
    refuse "$SELF was promoted by hand at $fork and lacks what $PEER wrote up to $position; to see how much, and to accept its loss, $(start_again)"
}

require_free_address() {
  local verdict
  read -t 5 -ru 5 verdict || timed_out "cannot check whether $SERVICE_ADDRESS is free; nothing was promoted"
  [[ $verdict == free ]] || refuse "$SERVICE_ADDRESS is $verdict; nothing was promoted"
}

# One session for all statements, since starting psql takes longer than a statement.
open_session() {
  # stderr is closed here only for Bash's warning about a second coprocess.
  { coproc SERVER { as_postgres "$PG_BIN/psql" -XAtq -v ON_ERROR_STOP=1 -d postgres -p "$PORT" 2>&7 7>&-; }; } 7>&2 2>/dev/null
  exec 3<&"${SERVER[0]}" 4>&"${SERVER[1]}"
}

# say SECONDS STATEMENT…: only the last statement returns a row, which is set as `reply`.
say() {
  printf '%s;\n' "${@:2}" >&4 && read -t "$1" -ru 3 reply
}

accepts_writes() { look_at_role && [[ $role == writer ]]; }

# The session may have ended before or after the server promoted, so a new one asks. A server that still is a standby is
# stopped, which ends the order to promote, and the peer serves again. Sets `did`.
promoted_or_back() {
  log "$SELF gave no answer to its promotion; asking again"
  sql 'select pg_promote(false)' >/dev/null 2>&1 || true
  if ! becomes 30 accepts_writes; then
    stop_server
    [[ $(control_data 'Database cluster state') == 'shut down in recovery' && -e $DATA/standby.signal ]] ||
      timed_out "$SELF does not accept writes 70 s after its promotion began"
    not_serving
    cancel_fence_of_peer "$SELF did not promote within 70 s"
  fi
  did='was promoted'
}

# Each round asks for a second in the open session; a session that has ended is replaced by a new one.
wait_for_replay() {
  local deadline=$(($(monotonic_ms) + 15000)) reply=''
  log "waiting until $SELF has replayed the log of $PEER up to $position"
  while say 5 "do \$\$ declare until timestamptz := clock_timestamp() + interval '1 s'; begin
    while pg_last_wal_replay_lsn() < '$position' and clock_timestamp() < until loop perform pg_sleep(0.005); end loop;
    end \$\$" "select pg_last_wal_replay_lsn()||case when pg_last_wal_replay_lsn() >= '$position' then ' near' else '' end" || open_session; do
    [[ $reply != *' near' ]] || return 0
    free_replay || break
    (($(monotonic_ms) < deadline)) || break
  done
  wait_for_files
  cancel_fence_of_peer "$SELF has replayed up to ${reply:-nothing}, $PEER wrote up to $position; nothing was promoted"
}
