#!/usr/bin/env bash
# Record what is wanted of a server of a pool. Acts on no traffic.
# Usage: member.sh COMPONENT POOL in|maintenance|out SERVER

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/haproxy/lib.sh
. "$here/lib.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 4 && $3 =~ ^(in|maintenance|out)$ && $4 =~ ^[a-z0-9][a-z0-9-]*$ ]] ||
    misuse "member.sh takes COMPONENT POOL in|maintenance|out SERVER, got: $*"
  local folder record
  know_pool "$1" "$2"
  require_claim
  folder=$CHANGEOVER_ROOT/$POOL record=$CHANGEOVER_ROOT/$POOL/servers/$4
  mkdir -p "$folder/servers"
  exec 7>>"$folder/haproxy.lock"
  flock -w 30 7 || timed_out "$folder/haproxy.lock is held for 30 s"
  if [[ $(value_of "$record" wanted) == "$3" ]]; then
    receipt "$4 is to be $3 already"
    return
  fi
  {
    grep -v '^wanted=' "$record" 2>/dev/null || true
    printf 'wanted=%s\n' "$3"
  } | write_file "$record"
  receipt "$4 is to be $3"
}

{
  main "$@"
  exit
}
