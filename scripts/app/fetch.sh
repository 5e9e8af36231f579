#!/usr/bin/env bash
# Load the packages that an upgrade of this machine needs, while it still serves. Installs nothing.
# Usage: fetch.sh COMPONENT

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/lib-packages.sh
. "$here/../lib-packages.sh"
# shellcheck source=scripts/app/lib-upgrade.sh
. "$here/lib-upgrade.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 1)) || misuse "fetch.sh takes COMPONENT, got: $*"
  local -a found
  export CHANGEOVER_COMPONENT=$1
  require_apt
  log "reading the package lists"
  apt_get update >&2
  mapfile -t found < <(upgradable)
  ((${#found[@]} == 0)) || apt_keeping --download-only --with-new-pkgs upgrade >&2
  receipt "$HOSTNAME has ${#found[@]} package(s) to upgrade${found[*]:+: ${found[*]}}"
}

{
  main "$@"
  exit
}
