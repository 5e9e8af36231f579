#!/usr/bin/env bash
# Let Apache serve all addresses of a pool again (the way back from HAProxy), or release all of them.
# Usage: serve-site.sh COMPONENT POOL on|off
#
# `on` refuses (77) while another program holds an address, and once Apache is retired. It starts
# Apache, now and at boot, and checks that Apache listens on every address. `off` lets requests end,
# stops Apache and releases all addresses.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/apache/lib.sh
. "$here/lib.sh"

released() { [[ $(ss -Hltnp) != *'(("apache2"'* ]]; }

start() {
  local -a binds
  local state=already
  require_not_retired
  [[ -s $CHANGEOVER_ROOT/$POOL/apache/binds ]] ||
    refuse "Apache on $HOSTNAME has no configuration of pool $POOL; configure it: npx pulumi up"
  mapfile -t binds <"$CHANGEOVER_ROOT/$POOL/apache/binds"
  python3 "$here/../haproxy/addresses.py" free apache2 "${binds[@]}"
  systemctl is-active --quiet apache2 || {
    require_claim
    log "starting Apache"
    systemctl reset-failed apache2 2>/dev/null || true
    timeout 60 systemctl start apache2 || timed_out "Apache does not start on $HOSTNAME: $(journalctl -u apache2 -n 3 -o cat --no-pager)"
    state=now
  }
  python3 "$here/../haproxy/addresses.py" bound apache2 "${binds[@]}" >/dev/null
  systemctl enable --quiet apache2 2>/dev/null
  receipt "Apache serves ${binds[*]} $state"
}

stop() {
  systemctl cat apache2 >/dev/null 2>&1 || {
    receipt "Apache is not installed, so it serves no address"
    return
  }
  ! systemctl is-active --quiet apache2 || {
    require_claim
    log "stopping Apache after its last request"
  }
  systemctl disable --quiet apache2 2>/dev/null
  timeout 90 systemctl stop apache2 || timed_out "Apache does not stop within 90 s"
  wait_until "Apache releases its addresses" 10 released
  receipt "Apache serves no address"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 3 && $3 =~ ^(on|off)$ ]] || misuse "serve-site.sh takes COMPONENT POOL on|off, got: $*"
  know_apache "$1" "$2"
  require_claim
  if [[ $3 == on ]]; then start; else stop; fi
}

{
  main "$@"
  exit
}
