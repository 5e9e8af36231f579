# Sourced by fetch.sh and upgrade.sh, after lib-packages.sh: system packages of an app server.
# shellcheck shell=bash

# Changed configuration files and held packages stay, nothing is removed.
apt_keeping() {
  APT_LISTCHANGES_FRONTEND=none NEEDRESTART_SUSPEND=1 \
    apt_get -y -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
}

# Names of the packages that an upgrade would bring, as the lists say that are here.
upgradable() {
  apt-get -s -o Debug::NoLocking=true --with-new-pkgs upgrade | sed -n 's/^Inst \([^ ]*\).*/\1/p'
}

require_apt() {
  command -v apt-get >/dev/null || refuse "$HOSTNAME is no Debian machine; upgrade it by hand while it is in maintenance"
}
