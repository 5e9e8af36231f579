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

# Root's folders, which the owner may read; only the shared folders at the ends of links are the owner's.
have_folders() {
  local wrong
  local -a targets=()
  for wrong in $LINKS; do targets+=("${wrong#*=}"); done
  install -d "$(facts)/staged" "$FOLDER"
  wrong=$(python3 "$here/folders.py" "$FOLDER" "$(id -u "$OWNER")" "$(id -g "$OWNER")" "${targets[@]}" 2>&1) ||
    refuse "${wrong##*$'\n'} ($HOSTNAME)"
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

unit_text() {
  local path writes=''
  for path in $WRITES; do writes+=" -$path"; done
  sed "s|@POOL@|$POOL|g; s|@FOLDER@|$FOLDER|g; s|@OWNER@|$OWNER|g; s|@FACTS@|$(facts)|g; s|@WRITES@|$writes|g" "$here/service.unit"
}

# With sudo the owner may open and close the application's port, and nothing else. What root runs then is a copy of root's
# own, whoever the scripts belong to.
maintenance_command() {
  local lib=/usr/local/lib/changeover/app-$POOL old=/usr/local/lib/changeover/$POOL command=/usr/local/sbin/$POOL-maintenance sudoers
  rm -rf "$lib.new" "$lib.old"
  (umask 022 && mkdir -p "${lib%/*}" && cp -R --no-preserve=all "$SCRIPTS" "$lib.new")
  [[ ! -d $lib ]] || mv -T "$lib" "$lib.old"
  mv -T "$lib.new" "$lib"
  # Until now the copy had a folder that a pair of this name has too.
  if grep -qs " $old/app/set-maintenance.sh " "$command" && [[ ! -e /usr/local/sbin/changeover-$POOL ]]; then rm -rf "$old"; fi
  put "$command" 0755 "#!/bin/sh
exec bash $lib/app/set-maintenance.sh $POOL-maintenance $POOL \"\$@\""
  rm -rf "$lib.old"
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
