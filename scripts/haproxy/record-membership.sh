#!/usr/bin/env bash
# Record the wanted state of a server of a pool. Changes no traffic.
# Usage: record-membership.sh COMPONENT POOL in|maintenance|out SERVER

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/haproxy/lib.sh
. "$here/lib.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 4 && $3 =~ ^(in|maintenance|out)$ && $4 =~ ^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$ ]] ||
    misuse "record-membership.sh takes COMPONENT POOL in|maintenance|out SERVER, got: $*"
  local folder record
  know_pool "$1" "$2"
  require_claim
  folder=$CHANGEOVER_ROOT/$POOL record=$CHANGEOVER_ROOT/$POOL/servers/$4
  mkdir -p "$folder/servers"
  exec 7>>"$folder/haproxy.lock"
  flock -w 30 7 || timed_out "another call holds $folder/haproxy.lock (waited 30 s)"
  if [[ $(value_of "$record" wanted) == "$3" ]]; then
    receipt "wanted state of $4 is $3 already"
    return
  fi
  {
    grep -v '^wanted=' "$record" 2>/dev/null || true
    printf 'wanted=%s\n' "$3"
  } | write_file "$record"
  receipt "wanted state of $4 is now $3"
}

{
  main "$@"
  exit
}
