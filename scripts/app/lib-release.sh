# Sourced by run-release.sh, run-previous-release.sh and upgrade-packages.sh: which release runs.
# shellcheck shell=bash

# switch_to REVISION: let the link `current` name this release. A reader sees the old link or the new one.
switch_to() {
  [[ ! -e $FOLDER/current || -L $FOLDER/current ]] ||
    refuse "$FOLDER/current on $HOSTNAME is not a link; move it away (if it is a release, to $FOLDER/releases/)"
  local was
  was=$(current)
  [[ $was != "$1" ]] || return 0
  log "switching current to $1, was ${was:-no release}"
  ln -sfn "releases/$1" "$FOLDER/.current.new"
  mv -T "$FOLDER/.current.new" "$FOLDER/current"
  sync "$FOLDER"
}

# Restart the unit, or set `why` to the reason of the failure. The unit's stop lets requests in flight end.
start_anew() {
  local output
  output=$(timeout 60 systemctl restart "$UNIT" 2>&1) || { why="$UNIT does not start: ${output//$'\n'/ }" && return 1; }
}

# get_ready REVISION SECONDS: run the current release until it is ready, or set `why` to the reason of the failure.
# A process of this release with the present configuration is not restarted. Each command must report its own
# failure, because callers use this where errexit is off.
get_ready() {
  if [[ $(running) != "$1" ]] || ! runs_configured; then
    log "starting $1"
    start_anew || return 1
  fi
  log "waiting until $1 is ready (limit: $2 s)"
  why=$(python3 "$here/ready.py" "http://$ADDRESS:$PORT$READY" "$STATUS" "$1" "$2" "$UNIT" "$HOST")
}

# Record the release that ran before this transition, once. `revision` is empty if no release ran.
remember_before() {
  local record
  record=$(records)/before
  [[ $(value_of "$record" id) != "$CHANGEOVER_ID" ]] || return 0
  printf 'id=%s\nrevision=%s\n' "$CHANGEOVER_ID" "$(current)" | write_file "$record"
}
