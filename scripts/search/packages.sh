#!/usr/bin/env bash
# Install Java and the tools of the scripts on this host.
# Usage: packages.sh COMPONENT
#
# Installs missing packages only. A distribution that brings its own Java does not use Debian's.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/lib-packages.sh
. "$here/../lib-packages.sh"

# shellcheck disable=SC2034
readonly packages=(openjdk-17-jre-headless python3 nftables iproute2)

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 1)) || misuse "packages.sh takes COMPONENT, got: $*"
  export CHANGEOVER_COMPONENT=$1
  install_missing
  receipt "$HOSTNAME has Java and the tools of the scripts"
}

{
  main "$@"
  exit
}
