#!/usr/bin/env bash
# Have PostgreSQL 15 and the tools of the scripts on this machine.
# Usage: packages.sh PAIR
#
# Installs what is missing; makes no cluster and starts nothing.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"

readonly packages=(postgresql-15 postgresql-client-15 python3 nftables iproute2)

missing() {
  local package
  for package in "${packages[@]}"; do
    [[ $(dpkg-query -Wf '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || printf '%s ' "$package"
  done
}

install_missing() {
  local -a wanted
  read -ra wanted <<<"$1"
  mkdir -p /etc/postgresql-common/createcluster.d
  echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.d/changeover.conf
  log "installing ${wanted[*]}"
  apt-get -qq -o DPkg::Lock::Timeout=300 update >&2
  DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 install --no-install-recommends "${wanted[@]}" >&2
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 1)) || misuse "packages.sh takes PAIR, got: $*"
  export CHANGEOVER_COMPONENT=$1
  local lacking
  command -v dpkg-query >/dev/null || refuse "$HOSTNAME is no Debian machine; install ${packages[*]} by hand"
  lacking=$(missing)
  [[ -z $lacking ]] || install_missing "$lacking"
  lacking=$(missing)
  [[ -z $lacking ]] || timed_out "still missing on $HOSTNAME: $lacking"
  receipt "$HOSTNAME has its packages"
}

{
  main "$@"
  exit
}
