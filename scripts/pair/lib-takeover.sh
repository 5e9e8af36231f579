# Sourced by takeover.sh: what it asks the peer, the network and its own server, side by side.
# shellcheck shell=bash

readonly asked=(claim.id fence.id postgres in_recovery standby_signal fence.position)

# The peer and the network are asked beside all that this machine asks itself.
ask_others() {
  local probed=$link
  [[ -z $link ]] || ! holds_address || probed=''
  coproc OTHERS { exec python3 "$SCRIPTS/pair/takeover.py" "$PAIR" "${probed:-none}" "$SERVICE_ADDRESS" "${asked[@]}"; }
  exec 5<&"${OTHERS[0]}" 6>&"${OTHERS[1]}"
}

# The receipt of the fence, from the machine itself, now. Sets `position`.
require_fenced_peer() {
  local answered claimed fenced postgres recovering signal
  read -t 10 -ru 5 answered || answered=silent
  [[ $answered == answered ]] || timed_out "require fenced $PEER: it gave no answer; nothing was promoted"
  { read -r claimed && read -r fenced && read -r postgres && read -r recovering && read -r signal && read -r position; } <&5
  [[ $claimed == "$CHANGEOVER_ID" && $fenced == "$CHANGEOVER_ID" ]] ||
    refuse "require fenced $PEER: its fence is of ${fenced:-no transition}, its claim of ${claimed:-none}, not of $CHANGEOVER_ID; $(start_again)"
  # The writer had ended when the fence was written down: what starts since then starts read-only.
  [[ $recovering == true || ($postgres != running && $signal == true) ]] ||
    refuse "require fenced $PEER: its server is $postgres and may accept writes; $(start_again)"
}

require_free_address() {
  local verdict
  read -t 5 -ru 5 verdict || timed_out "nobody could ask whether $SERVICE_ADDRESS is free"
  [[ $verdict == free ]] || refuse "$SERVICE_ADDRESS is $verdict; nothing was promoted, nothing taken"
}

# One session for all: a client program costs more to start than what it is to do.
open_session() {
  # Bash warns of a second coprocess, and only of that.
  { coproc SERVER { as_postgres "$PG_BIN/psql" -XAtq -v ON_ERROR_STOP=1 -d postgres -p "$PORT" 2>&7 7>&-; }; } 7>&2 2>/dev/null
  exec 3<&"${SERVER[0]}" 4>&"${SERVER[1]}"
}

# say SECONDS STATEMENT…: all but the last give no row; that one's is `reply`.
say() {
  printf '%s;\n' "${@:2}" >&4 && read -t "$1" -ru 3 reply
}
