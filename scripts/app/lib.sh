# Sourced by the scripts of an app server: what configure.sh told it, its releases, its unit.
# shellcheck shell=bash

# shellcheck disable=SC2034
POOL='' FOLDER='' UNIT='' OWNER='' ADDRESS='' PORT='' READY='' STATUS='' LINKS='' KEEP='' ALLOWED=''

# load_pool COMPONENT POOL
load_pool() {
  local file=/etc/$2/$2.conf key value
  export CHANGEOVER_COMPONENT=$1
  [[ -r $file ]] || refuse "$HOSTNAME has no $file; app/configure.sh has not run on it"
  while IFS='=' read -r key value; do
    [[ ! $key =~ ^[A-Z]+$ ]] || printf -v "$key" '%s' "$value"
  done <"$file"
  POOL=$2 FOLDER=/deploy/$2 UNIT=$2.service
}

# Facts of the pool on this host, which its components share.
facts() { printf '%s/%s\n' "$CHANGEOVER_ROOT" "$POOL"; }

require_revision() {
  [[ $1 =~ ^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$ ]] || misuse "revision \"$1\" is no name of a folder; allowed are letters, digits, . _ -"
}

require_seconds() { [[ $1 =~ ^[1-9][0-9]{0,4}$ ]] || misuse "$1 is no number of seconds"; }

# The revision that `current` names; nothing without it.
current() {
  [[ -L $FOLDER/current ]] || return 0
  basename "$(readlink "$FOLDER/current")"
}

main_pid() { systemctl show -P MainPID "$UNIT"; }

# The revision whose process runs, whatever `current` names by now.
running() {
  local folder
  folder=$(readlink "/proc/$(main_pid)/cwd") || return 0
  [[ $folder != "$FOLDER/releases/"* ]] || printf '%s\n' "${folder#"$FOLDER/releases/"}"
}

# Whether the process was started with the configuration of now.
runs_configured() {
  local wanted
  wanted=$(value_of "/etc/$POOL/environment" CONFIGURED)
  grep -qzxF "CONFIGURED=$wanted" "/proc/$(main_pid)/environ" 2>/dev/null
}

# The files of a release as they were unpacked; changed ones are named on stdout.
is_whole() {
  local record
  record=$(facts)/staged/$1
  [[ -e $record && -d $FOLDER/releases/$1 ]] || return 1
  (cd "$FOLDER/releases/$1" && sha256sum --quiet --strict -c "$record.files" 2>/dev/null)
}

require_whole() {
  local wrong
  wrong=$(is_whole "$1") ||
    refuse "release $1 is not whole on $HOSTNAME${wrong:+ (${wrong//$'\n'/, })}; stage it: app/stage.sh"
}

# Let every link of the release lead to its shared folder. What is in its place is kept beside it.
link_shared() {
  local folder=$1 kept=$2 pair place target
  for pair in $LINKS; do
    place=$folder/${pair%%=*} target=$FOLDER/shared/${pair#*=}
    [[ ! -L $place || $(readlink "$place") != "$target" ]] || continue
    if [[ -e $place && ! -L $place ]]; then
      log "$place is kept as ${place##*/}.$kept"
      rm -rf "$place.$kept"
      mv -T "$place" "$place.$kept"
    fi
    log "linking ${pair%%=*} to $target"
    install -d -o "$OWNER" -g "$OWNER" "$(dirname "$place")"
    ln -sfn "$target" "$place"
    chown -h "$OWNER:$OWNER" "$place"
  done
}
