#!/usr/bin/env bash
# Have a release unpacked beside the others: checked, owned by the pool's user, its shared folders linked.
# Usage: stage.sh COMPONENT POOL REVISION SHA256 SOURCE    (a path on this machine, or an http(s) URL)
#
# Touches nothing that serves. Refuses (77) an archive with another checksum, with names
# outside of its folder, or of another revision, and a release that serves and was changed.
# Afterwards the newest KEEP releases are left, and always the current one and the one before.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/app/lib.sh
. "$here/lib.sh"

# A release is made anew only when nobody uses it.
require_replaceable() {
  local had
  had=$(value_of "$staged" sha256)
  [[ -z $had || $had == "$sha256" ]] ||
    refuse "release $revision on $HOSTNAME came from an archive with sha256 $had, now it is $sha256: a revision is one archive; give the new one a name of its own"
  [[ $revision != "$(current)" && $revision != "$(running)" ]] ||
    refuse "release $revision serves on $HOSTNAME and is not as its archive has it${wrong:+ (${wrong//$'\n'/, })}; release another one first, or put the files back"
}

unpack() {
  local partial=$FOLDER/releases/.$revision.partial
  rm -rf "$partial"
  # shellcheck disable=SC2064
  trap "rm -rf '$partial'" EXIT
  log "unpacking $revision from $1"
  python3 "$here/archive.py" "$1" "$sha256" "$FOLDER/archives/$POOL-$revision.tar.gz" "$partial"
  [[ $(cat "$partial/REVISION" 2>/dev/null) == "$revision" ]] ||
    refuse "the archive has revision $(head -c 60 "$partial/REVISION" 2>/dev/null || echo '(none)') in its REVISION, not $revision"
  [[ -x $partial/bin/serve ]] || refuse "the archive of $revision has no program bin/serve"
  chown -hR "$OWNER:$OWNER" "$partial"
  link_shared "$partial" shipped
  mkdir -p "${staged%/*}"
  (cd "$partial" && find . -type f -print0 | sort -z | xargs -0 sha256sum) | write_file "$staged.files"
  require_claim
  sync -f "$partial"
  rm -rf "$FOLDER/releases/$revision"
  mv -T "$partial" "$FOLDER/releases/$revision"
  printf 'sha256=%s\n' "$sha256" | write_file "$staged"
}

prune() {
  local name kept=0
  for name in $(cd "${staged%/*}" && ls -t); do
    [[ $name != *.files ]] || continue
    ((++kept > KEEP)) || continue
    case $name in "$revision" | "$(current)" | "$(running)" | "$(value_of "$(records)/before" revision)") continue ;; esac
    log "removing release $name"
    rm -f "${staged%/*}/$name" "${staged%/*}/$name.files" "$FOLDER/archives/$POOL-$name.tar.gz"
    rm -rf "${FOLDER:?}/releases/$name"
  done
}

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
