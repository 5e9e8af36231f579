#!/usr/bin/env bash
# Unpack a release next to the other ones: checked, root's own, shared folders linked.
# Usage: stage-release.sh COMPONENT POOL REVISION SHA256 SOURCE    (a path on this machine, or an http(s) URL)
#
# The top folder of an archive (tar) has REVISION, a file with the release's name, and bin/serve, the
# program that the unit starts. Does not touch the running release. Refuses (77) an archive with
# another checksum, another revision, or names outside of its folder; and a release that serves and
# was changed. Keeps the newest KEEP releases, and always the current and the previous one.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/app/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/app/lib-stage.sh
. "$here/lib-stage.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 5)) || misuse "stage-release.sh takes COMPONENT POOL REVISION SHA256 SOURCE, got: $*"
  local revision=$3 sha256=$4 staged wrong='' state='is staged already'
  load_pool "$1" "$2"
  require_revision "$revision"
  [[ $sha256 =~ ^[0-9a-f]{64}$ ]] || misuse "\"$sha256\" is not a SHA-256; allowed: 64 hexadecimal digits"
  staged=$(facts)/staged/$revision
  require_own_path "$FOLDER/releases" "$FOLDER/archives"
  if [[ $(value_of "$staged" sha256) == "$sha256" ]] && wrong=$(is_whole "$revision"); then
    link_shared "$FOLDER/releases/$revision" found
    touch "$staged"
  else
    require_replaceable
    unpack "$5"
    state='is staged'
  fi
  require_claim
  prune
  receipt "$revision $state on $HOSTNAME"
}

{
  main "$@"
  exit
}
