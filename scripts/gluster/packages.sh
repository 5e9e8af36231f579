#!/usr/bin/env bash
# Install GlusterFS on this host.
# Usage: packages.sh COMPONENT server|client
#
# Installs missing packages only. On a server, glusterd runs now and after each boot.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/lib-packages.sh
. "$here/../lib-packages.sh"

packages=(glusterfs-client python3 rsync)

answers() { gluster --mode=script pool list >/dev/null 2>&1; }

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 2 && $2 =~ ^(server|client)$ ]] || misuse "packages.sh takes COMPONENT server|client, got: $*"
  export CHANGEOVER_COMPONENT=$1
  [[ -e /dev/fuse ]] || refuse "$HOSTNAME has no /dev/fuse, which a mount needs; load it: modprobe fuse"
  [[ $2 == client ]] || packages+=(glusterfs-server nftables iproute2)
  install_missing
  if [[ $2 == server ]]; then
    systemctl is-active --quiet glusterd || log "starting glusterd"
    systemctl enable --quiet --now glusterd
    wait_until "glusterd answers" 60 answers
  fi
  receipt "$HOSTNAME has GlusterFS as a $2"
}

{
  main "$@"
  exit
}
