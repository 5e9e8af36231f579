#!/usr/bin/env bash
# Unpack a distribution beside those that are there: checked, and root's own.
# Usage: stage-version.sh COMPONENT CLUSTER VERSION SHA256 SOURCE    (a path on this machine, or an http(s) URL)
#
# Does not touch the version that runs. Refuses (77) an archive with another checksum, without one folder at its
# top, or with names outside of it. Keeps the version that runs, the one before, and this one.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/search/lib.sh
. "$here/lib.sh"

is_staged() { [[ -d $VERSIONS/$1 && $(value_of "$VERSIONS/$1.archive" sha256) == "$2" ]]; }

# The folder at the top of the archive has the version in its name; what is in it is the distribution.
unpack() {
  local partial=$VERSIONS/.$1.partial top
  rm -rf "$partial"
  # shellcheck disable=SC2064
  trap "rm -rf '$partial'" EXIT
  log "unpacking $1 from $3"
  python3 -I "$SCRIPTS/app/archive.py" "$3" "$2" "$VERSIONS/$1.tar.gz" "$partial"
  mapfile -t top < <(find "$partial" -mindepth 1 -maxdepth 1)
  [[ ${#top[@]} -eq 1 && -d ${top[0]}/bin && -d ${top[0]}/config ]] ||
    refuse "the archive of $1 has no single folder with bin and config at its top; name a distribution as its maker packs it"
  # An archive of files alone has no empty folders, and the engine asks for this one.
  mkdir -p "${top[0]}/plugins"
  chmod 0755 "${top[0]}" && sync -f "$partial"
  require_claim
  rm -rf "${VERSIONS:?}/$1"
  mv -T "${top[0]}" "$VERSIONS/$1"
  printf 'sha256=%s\n' "$2" | write_file "$VERSIONS/$1.archive"
}

# Plans name the versions that may run: the present one, the next one and the one before.
prune() {
  local name used
  used=$(cat "$SEARCH/$CLUSTER"/plans/*/version 2>/dev/null) || true
  for name in "$VERSIONS"/*.archive; do
    name=${name##*/} && name=${name%.archive}
    if [[ $name == "$1" ]] || grep -qxF "$name" <<<"$used"; then continue; fi
    log "removing version $name, which no configuration names"
    rm -rf "${VERSIONS:?}/$name" "$VERSIONS/$name.archive" "$VERSIONS/$name.tar.gz"
  done
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 5)) || misuse "stage-version.sh takes COMPONENT CLUSTER VERSION SHA256 SOURCE, got: $*"
  local version=$3 sha256=$4 state='is staged already'
  load_cluster "$1" "$2"
  is_version "$version" || misuse "\"$version\" is no version; allowed: 2.19.5"
  [[ $sha256 =~ ^[0-9a-f]{64}$ ]] || misuse "\"$sha256\" is not a SHA-256; allowed: 64 hexadecimal digits"
  require_claim
  install -d -m 0755 "${VERSIONS%/*/*}" "${VERSIONS%/*}" "$VERSIONS"
  require_own_path "$VERSIONS"
  if ! is_staged "$version" "$sha256"; then
    [[ ! -e $VERSIONS/$version.archive ]] || ! grep -qsxF "$version" "$SEARCH/$CLUSTER/current/version" ||
      refuse "$HOSTNAME runs version $version from an archive with another checksum; name the new archive as another version"
    unpack "$version" "$sha256" "$5"
    state='is staged'
  fi
  prune "$version"
  receipt "version $version $state on $HOSTNAME"
}

{
  main "$@"
  exit
}
