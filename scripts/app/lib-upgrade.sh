# Sourced by fetch.sh and upgrade.sh: system packages of an app server.
# shellcheck shell=bash

# Asks nothing; changed configuration files and held packages stay, nothing is removed.
packages() {
  DEBIAN_FRONTEND=noninteractive APT_LISTCHANGES_FRONTEND=none NEEDRESTART_SUSPEND=1 \
    apt-get -qq -y -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
}

# Names of the packages that an upgrade would bring, as the lists say that are here.
upgradable() {
  apt-get -s -o Debug::NoLocking=true --with-new-pkgs upgrade | sed -n 's/^Inst \([^ ]*\).*/\1/p'
}

require_apt() {
  command -v apt-get >/dev/null || refuse "$HOSTNAME is no Debian machine; upgrade it by hand while it is in maintenance"
}
