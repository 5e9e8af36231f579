# Sourced by stage.sh: what becomes of an archive, and of releases that nobody needs.
# shellcheck shell=bash

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
