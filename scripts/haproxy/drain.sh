#!/usr/bin/env bash
# Take servers out of a pool: no new requests, wait for the last one, then maintenance.
# Usage: drain.sh COMPONENT POOL SECONDS cut|fail MINHEALTHY SERVER…
#
# Refuses (77), before traffic is touched, names that HAProxy does not know, and fewer than
# MINHEALTHY other servers UP. What is down goes straight to maintenance. Sessions that are left
# after SECONDS are shut down (`cut`), or the servers go back into traffic and it ends with 75
# (`fail`). A server that is to be in the pool goes back by itself when nobody comes in 15 minutes.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/lib-temporary.sh
. "$here/../lib-temporary.sh"
# shellcheck source=scripts/haproxy/lib.sh
. "$here/lib.sh"

drain() { python3 "$here/drain.py" "$@"; }

arm_undo() {
  local found server
  found=$(drain look "$POOL" "$least" "${servers[@]}")
  for server in $found; do put_back_after "$seconds" "$server"; done
}

put_back() {
  local server
  drain restore "$POOL" "$BY" "${servers[@]}" >&2
  for server in "${servers[@]}"; do settle "drain-$server"; done
  timed_out "after $seconds s $left sessions were left at ${busy[*]}; ${servers[*]} went back to what was found; wait longer (drain.seconds), or cut them (drain.policy: cut)"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -ge 6 && $3 =~ ^[0-9]+$ && $4 =~ ^(cut|fail)$ && $5 =~ ^[0-9]+$ ]] ||
    misuse "drain.sh takes COMPONENT POOL SECONDS cut|fail MINHEALTHY SERVER…, got: $*"
  local seconds=$3 policy=$4 least=$5 draining left did='0 cut'
  know_pool "$1" "$2"
  local -a servers=("${@:6}") busy
  require_claim
  arm_undo
  require_claim
  draining=$(drain begin "$POOL" "$BY" "$least" "${servers[@]}")
  read -ra busy <<<"$draining"
  left=0
  ((${#busy[@]} == 0)) || left=$(drain wait "$POOL" "$seconds" "${busy[@]}")
  if ((left > 0)); then
    [[ $policy == cut ]] || put_back
    require_claim
    log "shutting down $left sessions at ${busy[*]}, left after $seconds s"
    did="$(drain cut "$POOL" "${busy[@]}") cut"
  fi
  receipt "${servers[*]} out of traffic, $did"
}

{
  main "$@"
  exit
}
