#!/usr/bin/env bash
# Give this host a repository with packages of Scalr Server, and the settings that an operator of the package writes.
# Usage: install.sh COMPONENT NAME ROLE MAIN ROLE=ADDRESS…    (stdin: the shared password of all hosts)
#
# Builds 7.3.0-1, 7.4.0-1 and 7.4.1-1 into /srv/packages, which becomes the only package source of this host. The stand-ins
# for clouds and the configuration tool run on the host of role proxy (outside/). /etc/scalr-server/site.conf adds settings
# of an operator: repository=URL is another package source, clouds=… are other clouds. Installs and starts nothing of the
# package; the next reconfigure uses changed settings.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[[ -n ${CHANGEOVER_SCRIPTS:-} ]] || {
  echo "CHANGEOVER_SCRIPTS is empty; by hand: export CHANGEOVER_SCRIPTS=/opt/changeover/RELEASE/scripts" >&2
  exit 64
}
# shellcheck source=scripts/lib.sh
. "$CHANGEOVER_SCRIPTS/lib.sh"
# shellcheck source=scripts/lib-packages.sh
. "$CHANGEOVER_SCRIPTS/lib-packages.sh"
# shellcheck source=demo/scalr/lib-scalr.sh
. "$here/lib-scalr.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# >= 4)) || misuse "install.sh takes COMPONENT NAME ROLE MAIN ROLE=ADDRESS…, got: $*"
  local role=$3 main=$4 word apps='' proxy='' secret
  export CHANGEOVER_COMPONENT=$1
  [[ -v needed[$role] ]] || misuse "\"$role\" is not a role of Scalr; allowed: ${!needed[*]}"
  # Role all: this host has every role.
  [[ $role != all ]] || { apps="$main " && proxy=$main; }
  for word in "${@:5}"; do
    case $word in
      app=*) apps+="${word#app=} " ;;
      proxy=*) proxy=${word#proxy=} ;;
    esac
  done
  read_secret secret "the shared password of all hosts"
  require_debian "$role"
  quiet_others
  offer_packages
  install -d /opt/scalr-server
  {
    printf '%s\n' "role=$role" "main=$main" "secret=$secret" "apps=${apps% }"
    [[ -z $proxy ]] || offer_outside "$role" "$proxy"
    [[ ! -e $added ]] || cat "$added"
  } | write_file "$settings" 0600
  receipt "$HOSTNAME has a repository of Scalr and the settings of role $role"
}

{
  main "$@"
  exit
}
