# Sourced by configure.sh: user, folders and files of a server of a pool.
# shellcheck shell=bash disable=SC2153

# Files on a shared volume belong to user IDs, so the owner has the same user ID on every server.
have_owner() {
  local uid
  if uid=$(id -u "$OWNER" 2>/dev/null); then
    [[ $uid == "$1" ]] || refuse "user $OWNER has user ID $uid on $HOSTNAME (allowed: $1, the pool's ownerUid); change one of them, because files on shared volumes belong to user IDs"
    return 0
  fi
  log "adding user $OWNER with user ID $1"
  useradd --system --uid "$1" --user-group --no-create-home --home-dir "$FOLDER" --shell /bin/bash "$OWNER" >&2
}

# An existing shared folder stays as it is, since a volume may be mounted there.
have_folders() {
  local pair folder
  install -d "$(facts)/staged" "$FOLDER"
  for folder in releases archives shared; do install -d -o "$OWNER" -g "$OWNER" "$FOLDER/$folder"; done
  for pair in $LINKS; do
    folder=$FOLDER/shared/${pair#*=}
    [[ -d $folder ]] || runuser -u "$OWNER" -- mkdir -p "$folder"
  done
}

# A value as systemd reads it from an environment file.
quoted() {
  local text=$1 character
  for character in \\ '"' '`' '$'; do text=${text//"$character"/\\"$character"}; done
  printf '"%s"' "$text"
}

# environment LINE…: settings of the application, and CONFIGURED, the hash of this configuration.
environment() {
  local line text
  text=$(for line in "$@"; do printf '%s=%s\n' "${line%%=*}" "$(quoted "${line#*=}")"; done)
  printf '%s\nCONFIGURED=%s\n' "$text" "$(cat - "$here/service.unit" <<<"$text" | sha256sum | cut -c1-16)"
}

# put FILE MODE TEXT: write TEXT to FILE if the content differs, and add FILE to `changed`.
put() {
  [[ ! -e $1 || $3 != "$(<"$1")" ]] || return 0
  changed+=" $1"
  write_file "$1" "$2" <<<"$3"
}

unit_text() { sed "s|@POOL@|$POOL|g; s|@FOLDER@|$FOLDER|g; s|@OWNER@|$OWNER|g; s|@FACTS@|$(facts)|g" "$here/service.unit"; }

# With sudo the owner may open and close the application's port, and nothing else.
maintenance_command() {
  local lib=/usr/local/lib/changeover/$POOL command=/usr/local/sbin/$POOL-maintenance sudoers
  rm -rf "$lib.new"
  mkdir -p "$lib.new"
  cp -a "$SCRIPTS/." "$lib.new/"
  rm -rf "$lib"
  mv "$lib.new" "$lib"
  put "$command" 0755 "#!/bin/sh
exec bash $lib/app/set-maintenance.sh $POOL-maintenance $POOL \"\$@\""
  sudoers=$(mktemp)
  printf '%s ALL=(root) NOPASSWD: %s on, %s off\n' "$OWNER" "$command" "$command" >"$sudoers"
  visudo -cqf "$sudoers" >&2 || refuse "sudo rejects the line for $OWNER: $(<"$sudoers")"
  put "/etc/sudoers.d/$POOL" 0440 "$(<"$sudoers")"
  rm "$sudoers"
}

# take KEY=VALUE: store it in `settings`.
take() {
  local key=${1%%=*} value=${1#*=}
  [[ $1 == *=* && ! $value =~ [[:cntrl:]] ]] || misuse "\"$key\" is not KEY=VALUE on one line"
  case $key in
    env.*) [[ ${key#env.} =~ ^[A-Z][A-Z0-9_]*$ ]] || misuse "$key: allowed in the name of a variable are A-Z, 0-9 and _" ;;
    *) [[ " ${keys[*]} " == *" $key "* ]] || misuse "\"$key\" is not a key; allowed: ${keys[*]}, env.NAME" ;;
  esac
  # shellcheck disable=SC2004
  settings[$key]=$value
}

take_secrets() {
  local line
  [[ ! -t 0 ]] || return 0
  while IFS= read -r line || [[ -n $line ]]; do
    [[ -z $line ]] || take "env.$line"
  done
}
