# Sourced by stage-release.sh: unpack an archive, and remove old releases.
# shellcheck shell=bash

# A release may be unpacked anew only while it does not serve, and only from the same archive.
require_replaceable() {
  local known
  known=$(value_of "$staged" sha256)
  [[ -z $known || $known == "$sha256" ]] ||
    refuse "release $revision on $HOSTNAME came from an archive with sha256 $known, the config says $sha256; name the new archive as another release"
  [[ $revision != "$(current)" && $revision != "$(running)" ]] ||
    refuse "release $revision serves on $HOSTNAME, and its files differ from its archive${wrong:+ (${wrong//$'\n'/, })}; run another release first, or restore the files"
}

unpack() {
  local partial=$FOLDER/releases/.$revision.partial
  rm -rf "$partial"
  # shellcheck disable=SC2064
  trap "rm -rf '$partial'" EXIT
  log "unpacking $revision from $1"
  python3 "$here/archive.py" "$1" "$sha256" "$FOLDER/archives/$POOL-$revision.tar.gz" "$partial"
  [[ $(cat "$partial/REVISION" 2>/dev/null) == "$revision" ]] ||
    refuse "the archive has revision $(head -c 60 "$partial/REVISION" 2>/dev/null || echo '(none)') in its file REVISION (allowed: $revision); correct the archive or the config"
  [[ -x $partial/bin/serve ]] || refuse "the archive of $revision has no executable bin/serve; add the program that starts the application"
  link_shared "$partial" shipped
  mkdir -p "${staged%/*}"
  (cd "$partial" && find . -type f -print0 | sort -z | xargs -0 sha256sum) | write_file "$staged.files"
  require_claim
  sync -f "$partial"
  rm -rf "$FOLDER/releases/$revision"
  mv -T "$partial" "$FOLDER/releases/$revision"
  printf 'sha256=%s\n' "$sha256" | write_file "$staged"
}

# Remove old releases: the newest KEEP stay, and always the current and the previous one.
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
