#!/usr/bin/env bash
# Download the packages for an upgrade of this server, while the server still serves. Installs nothing.
# Usage: fetch-packages.sh COMPONENT

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/lib-packages.sh
. "$here/../lib-packages.sh"
# shellcheck source=scripts/app/lib-upgrade.sh
. "$here/lib-upgrade.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 1)) || misuse "fetch-packages.sh takes COMPONENT, got: $*"
  local -a names
  export CHANGEOVER_COMPONENT=$1
  require_apt
  log "reading the package lists"
  apt_get update
  mapfile -t names < <(upgradable)
  ((${#names[@]} == 0)) || apt_keeping --download-only --with-new-pkgs upgrade
  receipt "$HOSTNAME has ${#names[@]} package(s) to upgrade${names[*]:+: ${names[*]}}"
}

{
  main "$@"
  exit
}
