# Sourced by fetch-packages.sh and upgrade-packages.sh, after lib-packages.sh: system packages of a server.
# shellcheck shell=bash

# apt-get that keeps changed configuration files and held packages, and removes nothing.
apt_keeping() {
  APT_LISTCHANGES_FRONTEND=none NEEDRESTART_SUSPEND=1 apt_get -y -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
}

# Names of the packages that an upgrade would install, by the package lists on this machine.
upgradable() {
  apt-get -s -o Debug::NoLocking=true --with-new-pkgs upgrade | sed -n 's/^Inst \([^ ]*\).*/\1/p'
}

require_apt() {
  command -v apt-get >/dev/null || refuse "$HOSTNAME has no apt-get; set the server to maintenance and upgrade it by hand"
}
