#!/usr/bin/env bash
# Drain servers of a pool: no new request, wait for the last session, then maintenance.
# Usage: drain.sh COMPONENT POOL SECONDS cut|fail MINHEALTHY UNDO_SECONDS SERVER…
#
# Refuses (77), before any change, servers that HAProxy does not know, and fewer than MINHEALTHY
# other servers UP. A server that is DOWN goes to maintenance at once. Sessions left after SECONDS
# are cut (`cut`), or the servers go back into traffic and the script ends with 75 (`fail`). A timer
# undoes the drain of a server with wanted=in if no later step follows within UNDO_SECONDS.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/lib-temporary.sh
. "$here/../lib-temporary.sh"
# shellcheck source=scripts/haproxy/lib.sh
. "$here/lib.sh"

drain() { python3 "$here/drain.py" "$@"; }

arm_undo() {
  local returning server
  returning=$(drain check "$POOL" "$least" "${servers[@]}")
  for server in $returning; do undo_drain_after "$((undo_seconds + seconds))" "$server"; done
}

restore_traffic() {
  local server
  drain restore "$POOL" "$BY" "${servers[@]}" >&2
  for server in "${servers[@]}"; do settle "drain-$server"; done
  timed_out "$left sessions are left at ${busy[*]} after $seconds s; ${servers[*]} went back to the state before; raise drain.seconds, or cut sessions (drain.policy: cut)"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -ge 7 && $3 =~ ^[0-9]+$ && $4 =~ ^(cut|fail)$ && $5 =~ ^[0-9]+$ && $6 =~ ^[0-9]+$ ]] ||
    misuse "drain.sh takes COMPONENT POOL SECONDS cut|fail MINHEALTHY UNDO_SECONDS SERVER…, got: $*"
  local seconds=$3 policy=$4 least=$5 undo_seconds=$6 draining left cut=0
  know_pool "$1" "$2"
  local -a servers=("${@:7}") busy
  require_claim
  arm_undo
  require_claim
  draining=$(drain begin "$POOL" "$BY" "$least" "${servers[@]}")
  read -ra busy <<<"$draining"
  left=0
  ((${#busy[@]} == 0)) || left=$(drain wait "$POOL" "$seconds" "${busy[@]}")
  if ((left > 0)); then
    [[ $policy == cut ]] || restore_traffic
    require_claim
    log "cutting $left sessions at ${busy[*]}, left after $seconds s"
    cut=$(drain cut "$POOL" "${busy[@]}")
  fi
  receipt "${servers[*]} out of traffic, $cut sessions cut"
}

{
  main "$@"
  exit
}
