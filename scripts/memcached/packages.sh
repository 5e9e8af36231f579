#!/usr/bin/env bash
# Install memcached and the tools of the scripts on this host.
# Usage: packages.sh COMPONENT
#
# Installs missing packages only. Debian's own memcached.service is not started by the installation.
# If it runs already, it stays as it is.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/lib-packages.sh
. "$here/../lib-packages.sh"

# shellcheck disable=SC2034
readonly packages=(memcached python3 nftables iproute2)

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 1)) || misuse "packages.sh takes COMPONENT, got: $*"
  export CHANGEOVER_COMPONENT=$1
  if [[ $(missing) == *memcached* ]]; then
    systemctl mask --quiet --runtime memcached.service
    install_missing
    systemctl unmask --quiet --runtime memcached.service
    systemctl disable --quiet memcached.service
  else
    install_missing
  fi
  receipt "$HOSTNAME has memcached and its tools"
}

{
  main "$@"
  exit
}
