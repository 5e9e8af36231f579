#!/usr/bin/env bash
# Install the packages of a server: Python 3 with a PostgreSQL client, nftables, sudo.
# Usage: install-packages.sh COMPONENT [PACKAGE…]
#
# Installs missing packages only, and the Debian packages that PACKAGE names (a Java runtime, fonts).
# Starts nothing.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/lib-packages.sh
. "$here/../lib-packages.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# >= 1)) || misuse "install-packages.sh takes COMPONENT [PACKAGE…], got: $*"
  export CHANGEOVER_COMPONENT=$1
  # shellcheck disable=SC2034
  readonly packages=(python3 python3-psycopg2 nftables sudo iproute2 "${@:2}")
  install_missing
  receipt "$HOSTNAME has its packages"
}

{
  main "$@"
  exit
}
