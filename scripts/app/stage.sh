#!/usr/bin/env bash
# Have a release unpacked beside the others: checked, owned by the pool's user, its shared folders linked.
# Usage: stage.sh COMPONENT POOL REVISION SHA256 SOURCE    (a path on this machine, or an http(s) URL)
#
# An archive (tar) has at its top REVISION, a file with the name, and bin/serve, the program that
# the unit starts. Touches nothing that serves. Refuses (77) an archive with another checksum, with names
# outside of its folder, or of another revision, and a release that serves and was changed.
# Afterwards the newest KEEP releases are left, and always the current one and the one before.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/app/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/app/lib-stage.sh
. "$here/lib-stage.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 5)) || misuse "stage.sh takes COMPONENT POOL REVISION SHA256 SOURCE, got: $*"
  local revision=$3 sha256=$4 staged wrong='' said='is staged already'
  load_pool "$1" "$2"
  require_revision "$revision"
  [[ $sha256 =~ ^[0-9a-f]{64}$ ]] || misuse "$sha256 is no sha256"
  staged=$(facts)/staged/$revision
  if [[ $(value_of "$staged" sha256) == "$sha256" ]] && wrong=$(is_whole "$revision"); then
    link_shared "$FOLDER/releases/$revision" found
    touch "$staged"
  else
    require_replaceable
    unpack "$5"
    said='is staged'
  fi
  require_claim
  prune
  receipt "$revision $said on $HOSTNAME"
}

{
  main "$@"
  exit
}
