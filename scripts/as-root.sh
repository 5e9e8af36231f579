#!/usr/bin/env bash
# Run a script of this release as root, from a copy that belongs to root, for a login user with sudo.
# Usage: as-root.sh FILE [WORD…]    (FILE: a .sh or .py file of this folder)
#
# Timers and units keep what they run: it stays root's when the user's rights are taken away. Releases and
# software are copied once; each is there whole or not at all.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"

readonly copies=${CHANGEOVER_COPIES:-/opt/changeover}

# own FOLDER: copy it from the user's home to root's folder, and let it belong to root.
own() {
  local draft
  [[ ! -d $copies/$1 ]] || return 0
  [[ -z $(find "$home/$1" ! -type f ! -type d -print -quit) ]] || refuse "$home/$1 on $HOSTNAME has a link; copy the scripts again"
  install -d -m 0755 "$copies/${1%/*}"
  draft=$(mktemp -d "$copies/.new.XXXXXX")
  cp -R --no-preserve=mode,ownership -- "$home/$1/." "$draft/"
  chmod -R u=rwX,go=rX "$draft"
  sync -f "$draft"
  # Another step may have been faster.
  mv -T "$draft" "$copies/$1" 2>/dev/null || { rm -rf "$draft" && [[ -d $copies/$1 ]]; }
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ ${1:-} =~ ^[a-z_/-]+\.(sh|py)$ && -f $here/$1 ]] || misuse "as-root.sh takes a file of $here, got: ${1:-nothing}"
  ((EUID == 0)) || misuse "as-root.sh runs as root, by sudo"
  umask 022
  local home release software file=$1
  home=$(cd "$here/../.." && pwd) release=$(basename "$(dirname "$here")")
  shift
  install -d -m 0755 "$copies"
  require_own_path "$copies"
  own "./$release"
  # A word that names a file which was copied beside the releases names it from anywhere.
  set -- "${@/#.changeover\//$home/}"
  for software in "$home"/software/*; do [[ ! -d $software ]] || own "software/${software##*/}"; done
  case $file in
    *.py) exec python3 "$copies/$release/scripts/$file" "$@" ;;
    *) exec bash "$copies/$release/scripts/$file" "$@" ;;
  esac
}

{
  main "$@"
  exit
}
