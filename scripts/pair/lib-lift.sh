# Sourced by the scripts after which nothing but the point of no return is left: when they fail, all is as it was.
# shellcheck shell=bash

# lift_peer WHY: end with 75, the other machine serving again if it can be told so.
lift_peer() {
  local said
  # This machine first: it must never promote under this id once the other serves.
  give_up_transition "the fence of $PEER"
  log "$1; having $PEER serve again"
  if said=$(python3 "$SCRIPTS/pair/ask.py" "$PAIR" lift "$CHANGEOVER_ID" 2>&1); then
    timed_out "$1; $PEER serves again (${said#"$PAIR "}): nothing has changed. When it is mended, $(start_again)"
  fi
  timed_out "$1; $PEER could not be told to serve again (${said##*$'\n'}): it is fenced. Make it production again: npx pulumi config set --path changeover:pairs.$PAIR.production $PEER; npx pulumi up"
}
