#!/usr/bin/env bash
# Let HAProxy serve all addresses of a pool, or release all of them.
# Usage: serve-site.sh COMPONENT POOL on|off
#
# `on` refuses (77) while another program holds an address, or if this machine lacks an address.
# It starts HAProxy, now and at boot, and checks that HAProxy listens on every address. `off` takes no
# new connection, waits at most 10 s for open connections, stops HAProxy and releases all addresses.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/haproxy/lib.sh
. "$here/lib.sh"

released() { [[ $(ss -Hltnp) != *'(("haproxy"'* ]]; }

start() {
  local -a binds
  local addresses state=already
  addresses=$(python3 "$here/frontend.py" binds "$POOL")
  read -ra binds <<<"$addresses"
  python3 "$here/addresses.py" free haproxy "${binds[@]}"
  systemctl is-active --quiet haproxy || {
    require_claim
    log "starting HAProxy"
    systemctl reset-failed haproxy 2>/dev/null || true
    timeout 60 systemctl start haproxy || {
      log "$(journalctl -u haproxy -n 20 -o cat --no-pager | grep ALERT | tail -2)"
      timeout 60 systemctl stop haproxy
      timed_out "HAProxy does not start on $HOSTNAME; see journalctl -u haproxy"
    }
    state=now
  }
  python3 "$here/addresses.py" bound haproxy "${binds[@]}" >/dev/null
  systemctl enable --quiet haproxy 2>/dev/null
  receipt "HAProxy serves ${binds[*]} $state"
}

stop() {
  local left=0
  ! systemctl is-active --quiet haproxy || {
    require_claim
    log "HAProxy takes no new connection"
    left=$(python3 "$here/frontend.py" quiet "$POOL" 10)
    ((left == 0)) || log "cutting the $left connections that are left"
  }
  systemctl disable --quiet haproxy 2>/dev/null
  timeout 60 systemctl stop haproxy || timed_out "HAProxy does not stop within 60 s"
  wait_until "HAProxy releases its addresses" 10 released
  receipt "HAProxy serves no address, $left connections cut"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 3 && $3 =~ ^(on|off)$ ]] || misuse "serve-site.sh takes COMPONENT POOL on|off, got: $*"
  know_pool "$1" "$2"
  require_claim
  if [[ $3 == on ]]; then start; else stop; fi
}

{
  main "$@"
  exit
}
