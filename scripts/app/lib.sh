# Sourced by the scripts of a server: settings of configure.sh, releases, the unit.
# shellcheck shell=bash

# shellcheck source=scripts/lib-names.sh
. "$SCRIPTS/lib-names.sh"

# shellcheck disable=SC2034
POOL='' FOLDER='' UNIT='' OWNER='' ADDRESS='' PORT='' READY='' STATUS='' LINKS='' KEEP='' ALLOWED=''
# shellcheck disable=SC2034
HOST='' BALANCERS='' WRITES=''

# load_pool COMPONENT POOL: read the settings of the pool into variables.
load_pool() {
  local file=/etc/$2/$2.conf key value
  export CHANGEOVER_COMPONENT=$1
  require_entry "$2"
  [[ -r $file ]] || refuse "$HOSTNAME has no $file; run app/configure.sh there first"
  while IFS='=' read -r key value; do
    [[ ! $key =~ ^[A-Z]+$ ]] || printf -v "$key" '%s' "$value"
  done <"$file"
  POOL=$2 FOLDER=/deploy/$2 UNIT=$2.service
}

# Folder of the pool's records on this host; all components of the pool share it.
facts() { printf '%s/%s\n' "$CHANGEOVER_ROOT" "$POOL"; }

require_revision() {
  [[ $1 =~ ^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$ ]] || misuse "revision \"$1\" is not a folder name; allowed: letters, digits, . _ -"
}

require_seconds() { [[ $1 =~ ^[1-9][0-9]{0,4}$ ]] || misuse "\"$1\" is not a number of seconds"; }

# The revision that the link `current` names; empty without a link.
current() {
  [[ -L $FOLDER/current ]] || return 0
  basename "$(readlink "$FOLDER/current")"
}

main_pid() { systemctl show -P MainPID "$UNIT"; }

# The revision of the running process, which may differ from `current`; empty without a process.
running() {
  local folder
  folder=$(readlink "/proc/$(main_pid)/cwd") || return 0
  [[ $folder != "$FOLDER/releases/"* ]] || printf '%s\n' "${folder#"$FOLDER/releases/"}"
}

# Whether the running process has the present configuration.
runs_configured() {
  local wanted
  wanted=$(value_of "/etc/$POOL/environment" CONFIGURED)
  grep -qzxF "CONFIGURED=$wanted" "/proc/$(main_pid)/environ" 2>/dev/null
}

# is_whole REVISION: whether the files of a release are as unpacked, and root's. What is not goes to stdout.
is_whole() {
  local record foreign
  record=$(facts)/staged/$1
  [[ -e $record && -d $FOLDER/releases/$1 && ! -L $FOLDER/releases/$1 ]] || return 1
  foreign=$(find "$FOLDER/releases/$1" ! -type l ! -uid 0 ! -uid "$EUID" -printf '%u has %p\n' -quit) || return 1
  [[ -z $foreign ]] || { printf '%s\n' "$foreign" && return 1; }
  (cd "$FOLDER/releases/$1" && sha256sum --quiet --strict -c "$record.files" 2>/dev/null)
}

require_whole() {
  local wrong
  require_own_path "$FOLDER/releases/$1"
  wrong=$(is_whole "$1") ||
    refuse "release $1 is incomplete or changed on $HOSTNAME${wrong:+ (${wrong//$'\n'/, })}; stage it with app/stage-release.sh"
}

# link_shared FOLDER SUFFIX: let every link of the release lead to its shared folder. A file or folder in a link's place is
# kept next to it, with SUFFIX. All is root's: the application has no right to write in a release.
link_shared() {
  local folder=$1 suffix=$2 pair place target
  for pair in $LINKS; do
    place=$folder/${pair%%=*} target=$FOLDER/shared/${pair#*=}
    require_own_path "${place%/*}"
    [[ ! -L $place || $(readlink "$place") != "$target" ]] || continue
    if [[ -e $place && ! -L $place ]]; then
      log "keeping $place as ${place##*/}.$suffix"
      rm -rf "$place.$suffix"
      mv -T "$place" "$place.$suffix"
    fi
    log "linking ${pair%%=*} to $target"
    mkdir -p "${place%/*}"
    ln -sfn "$target" "$place"
  done
}
