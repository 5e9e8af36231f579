#!/usr/bin/env bash
# Configure Apache to serve a pool's addresses from one server, as before HAProxy.
# Usage: configure.sh COMPONENT POOL HOST ADDRESS:PORT BIND…
#
# HOST is the name of the site, ADDRESS:PORT the server. Apache listens on the BINDs only. A text that
# `apachectl configtest` rejects is refused (77), and the old one is restored. Starts nothing; reloads
# a running Apache. While the server does not answer, users get the maintenance page.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/lib-packages.sh
. "$here/../lib-packages.sh"
# shellcheck source=scripts/apache/lib.sh
. "$here/lib.sh"

put_in_place() {
  local output
  keep_once /etc/apache2/ports.conf
  sites >"$conf.new"
  ! cmp -s "$conf.new" "$conf" || { rm "$conf.new" && return; }
  [[ ! -e $conf ]] || cp "$conf" "$conf.before"
  mv "$conf.new" "$conf"
  a2enmod --quiet proxy proxy_http headers >&2
  a2dissite --quiet 000-default 2>/dev/null || true
  a2ensite --quiet "changeover-$POOL" >&2
  output=$(apachectl configtest 2>&1) || {
    if [[ -e $conf.before ]]; then mv "$conf.before" "$conf"; else a2dissite --quiet "changeover-$POOL" && rm "$conf"; fi
    refuse "Apache rejects the configuration: $output"
  }
  rm -f "$conf.before"
  write_file /etc/apache2/ports.conf <<<"# The addresses are in $conf."
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# >= 5)) || misuse "configure.sh takes COMPONENT POOL HOST ADDRESS:PORT BIND…, got: $*"
  know_apache "$1" "$2"
  site=$3 server=$4 binds=("${@:5}")
  require_claim
  require_not_retired
  install_at_rest apache2.service
  put_in_place
  [[ -e $PAGE ]] || page | write_file "$PAGE"
  printf '%s\n' "${binds[@]}" | write_file "$CHANGEOVER_ROOT/$POOL/apache/binds"
  ! systemctl is-active --quiet apache2 || timeout 60 systemctl reload apache2 || timed_out "Apache does not reload within 60 s"
  receipt "Apache is configured to serve ${binds[*]} from $server"
}

{
  main "$@"
  exit
}
