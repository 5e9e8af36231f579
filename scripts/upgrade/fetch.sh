#!/usr/bin/env bash
# Load exactly one version of the package, and what it needs besides, while the services run. Installs nothing.
# Usage: fetch.sh COMPONENT NAME VERSION [SECONDS]
#
# Refuses (77) a version that no repository offers. SECONDS bound the download, 7200 when they are not told.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/upgrade/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/upgrade/lib-package.sh
. "$here/lib-package.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 3 || $# == 4)) || misuse "fetch.sh takes COMPONENT NAME VERSION [SECONDS], got: $*"
  local said rc=0 seconds=${4:-7200}
  load_upgrade "$1" "$2"
  require_version "$3"
  require_number "$seconds" seconds
  require_claim
  if [[ $(installed_version) == "$3" ]]; then
    receipt "$PACKAGE $3 is installed on $HOSTNAME already"
    return
  fi
  load_kind
  log "reading what the repositories offer"
  "${kind}_refresh" || log "not all repositories can be read: $(last_said)"
  "${kind}_offers" "$3" ||
    refuse "no repository of $HOSTNAME offers $PACKAGE $3; offered are $("${kind}_offered" | paste -sd ' '); allowed is one of them; put $3 into a repository, or name another version"
  log "loading $PACKAGE $3"
  "${kind}_fetch" "$3" "$seconds" || rc=$?
  ((rc == 0)) || timed_out "$PACKAGE $3 is not loaded on $HOSTNAME ($rc): $(last_said)"
  receipt "$PACKAGE $3 is loaded on $HOSTNAME"
}

{
  main "$@"
  exit
}
