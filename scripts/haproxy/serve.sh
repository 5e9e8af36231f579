#!/usr/bin/env bash
# Have HAProxy serve the addresses of a pool, or give all of them up.
# Usage: serve.sh COMPONENT POOL on|off
#
# `on` refuses (77) while another program holds one of the addresses or this machine lacks one,
# starts HAProxy, now and at boot, and checks that it listens on every one. `off` takes no more
# connections, waits for those that are there (10 s at most), stops HAProxy and unbinds everything.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/haproxy/lib.sh
. "$here/lib.sh"

listens_not() { [[ $(ss -Hltnp) != *'(("haproxy"'* ]]; }

start() {
  local -a binds
  local told state=already
  told=$(python3 "$here/front.py" binds "$POOL")
  read -ra binds <<<"$told"
  python3 "$here/addresses.py" free haproxy "${binds[@]}"
  systemctl is-active --quiet haproxy || {
    require_claim
    log "starting HAProxy"
    systemctl reset-failed haproxy 2>/dev/null || true
    timeout 60 systemctl start haproxy || {
      log "$(journalctl -u haproxy -n 20 -o cat --no-pager | grep ALERT | tail -2)"
      timeout 60 systemctl stop haproxy
      timed_out "HAProxy does not start"
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
    log "HAProxy takes no more connections"
    left=$(python3 "$here/front.py" quiet "$POOL" 10)
    ((left == 0)) || log "$left connections are left and end now"
  }
  systemctl disable --quiet haproxy 2>/dev/null
  timeout 60 systemctl stop haproxy || timed_out "HAProxy does not stop"
  wait_until "HAProxy gives up its addresses" 10 listens_not
  receipt "HAProxy serves nothing, $left connections were cut"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 3 && $3 =~ ^(on|off)$ ]] || misuse "serve.sh takes COMPONENT POOL on|off, got: $*"
  know_pool "$1" "$2"
  require_claim
  if [[ $3 == on ]]; then start; else stop; fi
}

{
  main "$@"
  exit
}
