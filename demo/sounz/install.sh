#!/usr/bin/env bash
# Install the site of SOUNZ on this machine: Apache, app servers, the index Apollo.
# Usage: install.sh PAIR    (stdin: the password of the database's owner)
#
# Installs missing parts. Starts and enables nothing; restarts a running service if its own files
# changed. Refuses (77) a pair without MONGREL_PORTS, and a machine whose /opt/apollo lacks files.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[[ -n ${CHANGEOVER_SCRIPTS:-} ]] || {
  echo "CHANGEOVER_SCRIPTS is empty; by hand: export CHANGEOVER_SCRIPTS=/opt/changeover/RELEASE/scripts" >&2
  exit 64
}
# shellcheck source=scripts/lib.sh
. "$CHANGEOVER_SCRIPTS/lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$CHANGEOVER_SCRIPTS/pair/lib.sh"
# shellcheck source=scripts/lib-packages.sh
. "$CHANGEOVER_SCRIPTS/lib-packages.sh"
# shellcheck source=demo/sounz/lib-sounz.sh
. "$here/lib-sounz.sh"

# shellcheck disable=SC2034
readonly packages=(apache2 rsync python3-psycopg2 openjdk-17-jre-headless)

require_ports() {
  [[ ${MONGREL_PORTS:-} =~ ^[0-9]+( [0-9]+)*$ ]] ||
    refuse "MONGREL_PORTS in /etc/$PAIR/$PAIR.conf is \"${MONGREL_PORTS:-}\"; set it to the ports of the app servers, such as 8001 8002"
}

require_jars() {
  local jar lacking=''
  for jar in solr.war jetty-runner.jar lib/{slf4j-api,slf4j-reload4j,reload4j,jcl-over-slf4j}.jar; do
    [[ -s /opt/apollo/$jar ]] || lacking+=" $jar"
  done
  [[ -z $lacking ]] || refuse "/opt/apollo on $SELF lacks$lacking; put them there: tools/workshop/lab/image/jars names the Maven artifact of each"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 1)) || misuse "install.sh takes PAIR, got: $*"
  [[ $1 == sounz ]] || misuse "this site belongs to pair sounz, not to $1"
  local password=''
  read_secret password "the owner's password"
  load_pair "$1"
  require_ports
  require_jars
  install_missing
  # Debian's package starts Apache now and at boot; here the pair starts it on production.
  ! systemctl --quiet is-enabled apache2 || systemctl --quiet disable --now apache2
  install_index
  install_app "$password"
  install_site
  restart_changed
  receipt "$SELF has the site of SOUNZ"
}

{
  main "$@"
  exit
}
