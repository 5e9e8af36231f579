#!/usr/bin/env bash
# Have PostgreSQL 15 and the tools of the scripts on this machine.
# Usage: packages.sh PAIR
#
# Installs what is missing; makes no cluster and starts nothing.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/lib-packages.sh
. "$here/../lib-packages.sh"

# shellcheck disable=SC2034
readonly packages=(postgresql-15 postgresql-client-15 python3 nftables iproute2)

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 1)) || misuse "packages.sh takes PAIR, got: $*"
  export CHANGEOVER_COMPONENT=$1
  [[ -d /etc/postgresql/15 ]] ||
    echo 'create_main_cluster = false' | write_file /etc/postgresql-common/createcluster.d/changeover.conf
  install_missing
  receipt "$HOSTNAME has its packages"
}

{
  main "$@"
  exit
}
