#!/usr/bin/env bash
# Install HAProxy on this machine, without starting it.
# Usage: install-packages.sh COMPONENT
#
# Debian's package starts its service; a balancer starts HAProxy only after its pool is configured.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/lib-packages.sh
. "$here/../lib-packages.sh"

# shellcheck disable=SC2034
readonly packages=(haproxy python3 iproute2)

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 1)) || misuse "install-packages.sh takes COMPONENT, got: $*"
  export CHANGEOVER_COMPONENT=$1
  install_at_rest haproxy.service
  receipt "$HOSTNAME has HAProxy $(dpkg-query -Wf '${Version}' haproxy)"
}

{
  main "$@"
  exit
}
