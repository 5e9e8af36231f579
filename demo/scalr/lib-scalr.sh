# Sourced by install.sh: Debian packages, the repository, and the stand-ins outside of Scalr.
# shellcheck shell=bash

readonly own=/srv/packages settings=/etc/scalr-server/scalr-server.conf added=/etc/scalr-server/site.conf
declare -rA needed=([database]='mariadb-server-core mariadb-client' [app]=memcached [worker]='' [proxy]=nginx-light
  [all]='mariadb-server-core mariadb-client memcached nginx-light')

require_debian() {
  local lacking
  local -a packages
  read -ra packages <<<"python3-pymysql supervisor ${needed[$1]}"
  ! command -v dnf >/dev/null || packages+=(rpm createrepo-c)
  lacking=$(missing)
  [[ -z $lacking ]] ||
    refuse "$HOSTNAME lacks the Debian packages ${lacking% }; install them. A local host gets the packages that its \`packages\` names when it is made"
}

# Services of Debian's packages would take the ports of Scalr's services.
quiet_others() {
  local unit
  for unit in nginx supervisor memcached; do
    ! systemctl --quiet is-enabled "$unit" 2>/dev/null || systemctl --quiet disable "$unit"
    systemctl --quiet stop "$unit" 2>/dev/null || true
  done
}

# Local hosts reach no other machine: an unreachable source would fail each look at the repositories.
offer_packages() {
  local source
  source=$(value_of "$added" repository)
  if [[ -z $source ]]; then
    source=file://$own
    log "building packages into $own"
    bash "$here/build.sh" "$own" 7.3.0-1 7.4.0-1 7.4.1-1 >&2
    bash "$here/repository.sh" "$own"
  fi
  [[ ! -e /etc/apt/sources.list ]] || mv /etc/apt/sources.list /etc/apt/sources.list.aside
  write_file /etc/apt/sources.list.d/scalr.list <<<"deb [trusted=yes] $source/ ./"
  ! command -v dnf >/dev/null || bash "$here/rpm-host.sh" "$source"
}

# offer_outside ROLE ADDRESS: start clouds and a configuration tool at ADDRESS of the proxy, one port each; print their settings.
offer_outside() {
  [[ -z $(value_of "$added" clouds) ]] || return 0
  local interface
  if [[ $1 == proxy || $1 == all ]]; then
    interface=$(ip -o -4 address show to "$2/32" | cut -d ' ' -f 2 | head -n 1)
    bash "$here/outside/outside.sh" "$interface" "private-rack=$2:9001" "public-east=$2:9002" "public-west=$2:9003" "tool=$2:9004"
  fi
  printf '%s\n' "clouds=private-rack=http://$2:9001 public-east=http://$2:9002 public-west=http://$2:9003" \
    "tool=http://$2:9004" tool_key=key-of-the-tool
}
