#!/usr/bin/env bash
# Install PostgreSQL and the tools that the scripts need.
# Usage: packages.sh PAIR
#
# Installs missing packages. Creates no cluster and starts nothing.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/lib-packages.sh
. "$here/../lib-packages.sh"
PG_MAJOR=$(<"$here/postgres-version")

# shellcheck disable=SC2034
readonly packages=("postgresql-$PG_MAJOR" "postgresql-client-$PG_MAJOR" python3 nftables iproute2)

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 1)) || misuse "packages.sh takes PAIR, got: $*"
  export CHANGEOVER_COMPONENT=$1
  [[ -d /etc/postgresql/$PG_MAJOR ]] ||
    echo 'create_main_cluster = false' | write_file /etc/postgresql-common/createcluster.d/changeover.conf
  install_missing
  receipt "$HOSTNAME has its packages"
}

{
  main "$@"
  exit
}
