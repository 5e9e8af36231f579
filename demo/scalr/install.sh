#!/usr/bin/env bash
# Have packages of Scalr Server for this host to install, and its settings as the package's operator writes them.
# Usage: install.sh COMPONENT NAME ROLE MAIN ROLE=ADDRESS…    (stdin: the password that all hosts share)
#
# Builds 7.3.0-1, 7.4.0-1 and 7.4.1-1 into /srv/packages, a repository of this host alone, which is then its only source
# of packages. What is outside of Scalr runs on the host of role proxy (outside/). /etc/scalr-server/site.conf has what an
# operator adds to the settings; repository=URL there names another source, clouds=… another outside. Installs and starts
# nothing of the package; settings that changed are taken by the next reconfigure.

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
  [[ -v needed[$role] ]] || misuse "$role is no role of Scalr; allowed are ${!needed[*]}"
  # The single host is all of it.
  [[ $role != all ]] || { apps="$main " && proxy=$main; }
  for word in "${@:5}"; do
    case $word in
      app=*) apps+="${word#app=} " ;;
      proxy=*) proxy=${word#proxy=} ;;
    esac
  done
  read_secret secret "the password that all hosts share"
  require_debian "$role"
  quiet_others
  offer_packages
  install -d /opt/scalr-server
  {
    printf '%s\n' "role=$role" "main=$main" "secret=$secret" "apps=${apps% }"
    [[ -z $proxy ]] || offer_outside "$role" "$proxy"
    [[ ! -e $added ]] || cat "$added"
  } | write_file "$settings" 0600
  receipt "$HOSTNAME has packages of Scalr, and the settings of role $role"
}

{
  main "$@"
  exit
}
