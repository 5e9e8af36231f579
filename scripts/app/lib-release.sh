# Sourced by release.sh and back.sh: which release runs.
# shellcheck shell=bash

# Let `current` name another release; a reader sees the old one or the new one.
switch_to() {
  [[ ! -e $FOLDER/current || -L $FOLDER/current ]] ||
    refuse "$FOLDER/current on $HOSTNAME is no link; move it away, and name it as a release if it is one"
  local was
  was=$(current)
  [[ $was != "$1" ]] || return 0
  log "current is $1 from now on, was ${was:-nothing}"
  ln -sfn "releases/$1" "$FOLDER/.current.new"
  chown -h "$OWNER:$OWNER" "$FOLDER/.current.new"
  mv -T "$FOLDER/.current.new" "$FOLDER/current"
  sync "$FOLDER"
}

# Start the unit anew, or leave in `why` what is wrong. The stop before it may take as long as the unit lets it: requests
# in flight are finished.
start_anew() {
  local said
  said=$(timeout 60 systemctl restart "$UNIT" 2>&1) || { why="$UNIT does not start: ${said//$'\n'/ }" && return 1; }
}

# get_ready REVISION SECONDS: have the current release run and be ready, or leave in `why` what is wrong.
# A process of this release with the configuration of now is not restarted. Each command says for itself when it
# fails: this runs where errexit is off.
get_ready() {
  if [[ $(running) != "$1" ]] || ! runs_configured; then
    log "starting $1"
    start_anew || return 1
  fi
  log "waiting until $1 is ready, at most $2 s"
  why=$(python3 "$here/ready.py" "http://$ADDRESS:$PORT$READY" "$STATUS" "$1" "$2" "$UNIT")
}

# What ran before this transition, remembered once; `revision` is empty when nothing did.
remember_before() {
  local record
  record=$(records)/before
  [[ $(value_of "$record" id) != "$CHANGEOVER_ID" ]] || return 0
  printf 'id=%s\nrevision=%s\n' "$CHANGEOVER_ID" "$(current)" | write_file "$record"
}
