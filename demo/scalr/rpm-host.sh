#!/usr/bin/env bash
# Set up a Debian machine with rpm and dnf to install scalr-server as an RPM, from DIR or a URL.
# Usage: rpm-host.sh DIR|URL
#
# README.md explains each setting. It may run again.
set -euo pipefail

main() {
  [[ ${1:-} != --help ]] || { sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" && return; }
  (($# == 1)) || { echo "rpm-host: usage: rpm-host.sh DIR|URL, see --help" >&2 && return 64; }
  local source=$1
  [[ $1 == *://* ]] || source=file://$1
  # Debian's rpm keeps its database in the home of its user.
  mkdir -p /etc/rpm /etc/yum.repos.d /etc/dnf/vars
  echo '%_dbpath /var/lib/rpm' >/etc/rpm/macros
  [[ -e /var/lib/rpm/rpmdb.sqlite ]] || rpm --initdb
  echo 12 >/etc/dnf/vars/releasever
  cat >/etc/yum.repos.d/scalr.repo <<REPOSITORY
[scalr]
name=Scalr Server
baseurl=$source
gpgcheck=0
metadata_expire=1
skip_if_unavailable=False
REPOSITORY
}

{
  main "$@"
  exit
}
