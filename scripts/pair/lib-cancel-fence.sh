# Sourced by the last scripts before the point of no return: when one fails, old production serves again.
# shellcheck shell=bash

# cancel_fence_of_peer WHY: have the peer serve again, and end with 75.
cancel_fence_of_peer() {
  local said
  # This machine first: it must never promote under this id once the peer serves.
  give_up_transition "the fence of $PEER"
  log "$1; asking $PEER to serve again"
  if said=$(python3 "$SCRIPTS/pair/ask_peer.py" "$PAIR" lift "$CHANGEOVER_ID" 2>&1); then
    timed_out "$1; $PEER serves again (${said#"$PAIR "}): nothing has changed. Fix the cause, then $(start_again)"
  fi
  timed_out "$1; $PEER is still fenced and did not serve again (${said##*$'\n'}). Make $PEER production again: npx pulumi config set --path changeover:pairs.$PAIR.production $PEER; npx pulumi up"
}
