#!/usr/bin/env bash
# Archive Apache's configuration and uninstall Apache. After this no way leads back to Apache.
# Usage: uninstall.sh COMPONENT POOL
#
# Refuses (77) while Apache serves, while HAProxy is not running, and while Apache has sites of
# others. The archive is read back before anything is removed.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/lib-packages.sh
. "$here/../lib-packages.sh"
# shellcheck source=scripts/apache/lib.sh
. "$here/lib.sh"

installed() { [[ $(dpkg-query -Wf '${db:Status-Status}' apache2-bin 2>/dev/null) == installed ]]; }

require_unused() {
  local file
  ! systemctl is-active --quiet apache2 || refuse "Apache is running on $HOSTNAME; cut over to HAProxy first (edge: haproxy)"
  systemctl is-active --quiet haproxy || refuse "HAProxy is not running on $HOSTNAME, so no program would serve $POOL; start it: systemctl start haproxy"
  for file in /etc/apache2/sites-enabled/*; do
    [[ ! -e $file || ${file##*/} =~ ^(changeover-$POOL|000-default)\.conf$ ]] ||
      refuse "Apache on $HOSTNAME has site ${file##*/} besides pool $POOL; move the site to another host, or disable it: a2dissite ${file##*/}"
  done
}

archive_configuration() {
  local archive=$1
  mkdir -p "${archive%/*}"
  log "archiving /etc/apache2 in $archive"
  tar -C / -czf "$archive.new" etc/apache2
  tar -tzf "$archive.new" | grep -x etc/apache2/apache2.conf >/dev/null || timed_out "archive $archive.new has no apache2.conf"
  sync "$archive.new"
  mv "$archive.new" "$archive"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 2)) || misuse "uninstall.sh takes COMPONENT POOL, got: $*"
  local record archive
  know_apache "$1" "$2"
  require_claim
  record=$CHANGEOVER_ROOT/$POOL/apache/retired
  archive=$(value_of "$record" archive)
  if installed; then
    require_unused
    [[ -n $archive && -s $archive ]] || {
      printf -v archive '%s/%s/apache/etc-apache2-%(%Y%m%d)T.tar.gz' "$CHANGEOVER_ROOT" "$POOL" -1
      archive_configuration "$archive"
    }
    require_claim
    printf 'since=%(%F)T\narchive=%s\n' -1 "$archive" | write_file "$record"
    log "point of no return: uninstalling Apache"
    apt_get remove apache2 apache2-bin
    ! installed || timed_out "Apache is still installed"
  fi
  receipt "Apache is uninstalled, its configuration is in ${archive:-no archive: Apache was never installed}"
}

{
  main "$@"
  exit
}
