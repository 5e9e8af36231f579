# Sourced by configure.sh: the files that make a machine an app server.
# shellcheck shell=bash disable=SC2153

# Files on a shared volume belong to numbers, so the number must be the same on every app server.
have_owner() {
  local number
  if number=$(id -u "$OWNER" 2>/dev/null); then
    [[ $number == "$1" ]] || refuse "user $OWNER on $HOSTNAME is number $number, the pool's is $1: files on shared folders would not be its own; change one of them"
    return 0
  fi
  log "making user $OWNER, number $1"
  useradd --system --uid "$1" --user-group --no-create-home --home-dir "$FOLDER" --shell /bin/bash "$OWNER" >&2
}

# A shared folder that something is mounted on is left as it is.
have_folders() {
  local pair folder
  install -d "$(facts)/staged" "$FOLDER"
  for folder in releases archives shared; do install -d -o "$OWNER" -g "$OWNER" "$FOLDER/$folder"; done
  for pair in $LINKS; do
    folder=$FOLDER/shared/${pair#*=}
    [[ -d $folder ]] || runuser -u "$OWNER" -- mkdir -p "$folder"
  done
}

# As systemd reads it back from a file of settings.
quoted() {
  local text=$1 character
  for character in \\ '"' '`' '$'; do text=${text//"$character"/\\"$character"}; done
  printf '"%s"' "$text"
}

# environment LINE…: settings of the application, and what tells this configuration from another.
environment() {
  local line text
  text=$(for line in "$@"; do printf '%s=%s\n' "${line%%=*}" "$(quoted "${line#*=}")"; done)
  printf '%s\nCONFIGURED=%s\n' "$text" "$(cat - "$here/service.unit" <<<"$text" | sha256sum | cut -c1-16)"
}

# put FILE MODE TEXT: into FILE when it says something else, which is noted in `changed`.
put() {
  [[ ! -e $1 || $3 != "$(<"$1")" ]] || return 0
  changed+=" $1"
  write_file "$1" "$2" <<<"$3"
}

unit_text() { sed "s|@POOL@|$POOL|g; s|@FOLDER@|$FOLDER|g; s|@OWNER@|$OWNER|g; s|@FACTS@|$(facts)|g" "$here/service.unit"; }

# The owner may open and close the application's port, and nothing else, as root.
maintenance_command() {
  local lib=/usr/local/lib/changeover/$POOL command=/usr/local/sbin/$POOL-maintenance sudoers
  rm -rf "$lib.new"
  mkdir -p "$lib.new"
  cp -a "$SCRIPTS/." "$lib.new/"
  rm -rf "$lib"
  mv "$lib.new" "$lib"
  put "$command" 0755 "#!/bin/sh
exec bash $lib/app/firewall.sh $POOL-maintenance $POOL \"\$@\""
  sudoers=$(mktemp)
  printf '%s ALL=(root) NOPASSWD: %s on, %s off\n' "$OWNER" "$command" "$command" >"$sudoers"
  visudo -cqf "$sudoers" >&2 || refuse "sudo does not take the line for $OWNER: $(<"$sudoers")"
  put "/etc/sudoers.d/$POOL" 0440 "$(<"$sudoers")"
  rm "$sudoers"
}

# take KEY=VALUE: into `told`.
take() {
  local key=${1%%=*} value=${1#*=}
  [[ $1 == *=* && ! $value =~ [[:cntrl:]] ]] || misuse "\"$key\" is not KEY=VALUE on one line"
  case $key in
    env.*) [[ ${key#env.} =~ ^[A-Z][A-Z0-9_]*$ ]] || misuse "$key: names in an environment are A-Z, 0-9 and _" ;;
    *) [[ " ${keys[*]} " == *" $key "* ]] || misuse "$key is none of ${keys[*]}, env.NAME" ;;
  esac
  # shellcheck disable=SC2004
  told[$key]=$value
}

take_secrets() {
  local line
  [[ ! -t 0 ]] || return 0
  while IFS= read -r line || [[ -n $line ]]; do
    [[ -z $line ]] || take "env.$line"
  done
}
