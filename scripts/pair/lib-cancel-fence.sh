# Sourced by the scripts between the fence and the point of no return: when one fails, old production serves again.
# shellcheck shell=bash

# cancel_fence_of_peer WHY: have the peer serve again, and end with 75.
cancel_fence_of_peer() {
  log "$1; asking $PEER to serve again"
  have_peer_serve "$1"
  exit 75
}

# have_peer_serve WHY: safe to repeat; the peer itself knows whether this transition fenced it.
have_peer_serve() {
  local said cure
  cure="Make $PEER production again: npx pulumi config set --path changeover:pairs.$PAIR.production $PEER; npx pulumi up"
  # This machine first: it must never promote under this id once the peer serves.
  give_up_transition "the fence of $PEER" || {
    log "$1; $PEER is still fenced, because $SELF can't record that it gives up. $cure"
    return 1
  }
  if said=$(python3 "$SCRIPTS/pair/ask_peer.py" "$PAIR" lift "$CHANGEOVER_ID" 2>&1); then
    log "$1; $PEER serves again (${said#"$PAIR "}): nothing has changed. Fix the cause, then $(start_again)"
  else
    log "$1; $PEER is still fenced and did not serve again (${said##*$'\n'}). $cure"
  fi
}

# Whether this machine's server can't accept writes under this transition, now or later: nothing told it to promote.
is_still_standby() {
  local role
  [[ $(value_of "$(records)/serving" id) != "$CHANGEOVER_ID" ]] || return 1
  look_at_role
  # PostgreSQL removes the signal before it accepts writes, so the file speaks for a server that gives no answer.
  [[ $role == standby || $role == stopped || ($role == silent && -e $DATA/standby.signal) ]]
}

# For EXIT until the promotion is ordered: a failure of any kind has the peer serve again, with the exit code as it was.
# A newer claim decides for itself, and whoever gave up before has asked already. A peer that this transition did not take
# out of service has nothing to get back, and one that gives no answer can't be asked.
or_give_back() {
  local rc=$? fenced
  trap - EXIT
  ((rc)) || exit 0
  set +e
  [[ $(value_of "$(records)/claim" id) == "$CHANGEOVER_ID" && ! -e $(records)/expired/$CHANGEOVER_ID ]] || exit "$rc"
  fenced=$(python3 "$SCRIPTS/pair/ask_peer.py" "$PAIR" fence.id fence.was 2>/dev/null)
  [[ $fenced == "$CHANGEOVER_ID"$'\n'writer ]] || exit "$rc"
  # A stopped server starts as a standby from now on.
  is_running || as_standby
  is_still_standby || exit "$rc"
  have_peer_serve "$SELF did not take over, see above"
  exit "$rc"
}

# Accept writes on this machine again, and take the service address back. Sets `link`.
serve_again() {
  link=''
  [[ $SERVICE_ADDRESS == none ]] || link=$(service_interface)
  start_server
  # Nobody was made production since this machine was, so its earlier record says enough when the disk is full.
  serving_soon || true
  [[ $role == writer || $(sql 'select pg_promote(true, 40)') == t ]] || timed_out "$SELF does not accept writes 40 s after its promotion began"
  serving_from_now || true
  no_standby
  [[ -z $link ]] || take_address "$link"
  rm -f "$(records)/fence" || true
  [[ -z $link ]] || announce_address "$link"
  run_role production
}

# For EXIT until the fence is recorded: without the record no machine takes over, so this one serves again.
or_serve_again() {
  local rc=$?
  trap - EXIT
  ((rc)) || exit 0
  # From here on nothing that fails keeps this machine from serving.
  set +e
  [[ $(value_of "$(records)/claim" id) == "$CHANGEOVER_ID" ]] || exit "$rc"
  log "the fence of $SELF failed, see above; $SELF serves again"
  rm -f "$(records)/fence"
  wait || true
  (serve_again) || log "$SELF does not serve again; start the update again: npx pulumi up"
  exit "$rc"
}
