#!/usr/bin/env bash
# Have packages of Scalr Server for this host to install, and its settings as the package's operator writes them.
# Usage: scalr.sh COMPONENT NAME ROLE MAIN ROLE=ADDRESS…    (stdin: the password that all hosts share)
#
# Builds 7.3.0-1, 7.4.0-1 and 7.4.1-1 into /srv/packages, a repository of this host alone, which is then its only source
# of packages. What is outside of Scalr runs on the host of role proxy (scalr/outside). /etc/scalr-server/site.conf has what an
# operator adds to the settings; repository=URL there names another source, clouds=… another outside. Installs and starts
# nothing of the package; settings that changed are taken by the next reconfigure.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/lib-packages.sh
. "$here/../lib-packages.sh"

readonly own=/srv/packages settings=/etc/scalr-server/scalr-server.conf added=/etc/scalr-server/site.conf
declare -rA needed=([database]='mariadb-server-core mariadb-client' [app]=memcached [worker]='' [proxy]=nginx-light
  [all]='mariadb-server-core mariadb-client memcached nginx-light')

require_debian() {
  local lacking
  # shellcheck disable=SC2034
  local -a packages
  read -ra packages <<<"python3-pymysql supervisor ${needed[$1]}"
  ! command -v dnf >/dev/null || packages+=(rpm createrepo-c)
  lacking=$(missing)
  [[ -z $lacking ]] ||
    refuse "$HOSTNAME lacks the Debian packages ${lacking% }; install them; a local host has those that its \`packages\` names when it is made"
}

# They came with Debian's packages and would take the ports of Scalr's own.
quiet_others() {
  local unit
  for unit in nginx supervisor memcached; do
    ! systemctl --quiet is-enabled "$unit" 2>/dev/null || systemctl --quiet disable "$unit"
    systemctl --quiet stop "$unit" 2>/dev/null || true
  done
}

# Local hosts reach no other machine: sources that can't be read would end each look at the repositories.
offer_packages() {
  local source
  source=$(value_of "$added" repository)
  if [[ -z $source ]]; then
    source=file://$own
    log "building packages into $own"
    bash "$here/scalr/build.sh" "$own" 7.3.0-1 7.4.0-1 7.4.1-1 >&2
    bash "$here/scalr/repository.sh" "$own"
  fi
  [[ ! -e /etc/apt/sources.list ]] || mv /etc/apt/sources.list /etc/apt/sources.list.aside
  write_file /etc/apt/sources.list.d/scalr.list <<<"deb [trusted=yes] $source/ ./"
  ! command -v dnf >/dev/null || bash "$here/scalr/rpm-host.sh" "$source"
}

# offer_outside ROLE ADDRESS: clouds and a configuration tool at the address of the proxy, a port each; their settings on stdout.
offer_outside() {
  [[ -z $(value_of "$added" clouds) ]] || return 0
  local interface
  if [[ $1 == proxy ]]; then
    interface=$(ip -o -4 address show to "$2/32" | cut -d ' ' -f 2 | head -n 1)
    bash "$here/scalr/outside/outside.sh" "$interface" "private-rack=$2:9001" "public-east=$2:9002" "public-west=$2:9003" "tool=$2:9004"
  fi
  printf '%s\n' "clouds=private-rack=http://$2:9001 public-east=http://$2:9002 public-west=http://$2:9003" \
    "tool=http://$2:9004" tool_key=key-of-the-tool
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# >= 4)) || misuse "scalr.sh takes COMPONENT NAME ROLE MAIN ROLE=ADDRESS…, got: $*"
  local role=$3 main=$4 word apps='' proxy='' secret
  export CHANGEOVER_COMPONENT=$1
  [[ -v needed[$role] ]] || misuse "$role is no role of Scalr; allowed are ${!needed[*]}"
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
