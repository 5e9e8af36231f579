#!/usr/bin/env bash
# Copy the pair's cluster from the peer, and stream from it.
# Usage: base-copy.sh PAIR
#
# Refuses (77) data that it did not make.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/pair/lib-settings.sh
. "$here/lib-settings.sh"
# shellcheck source=scripts/pair/lib-copy.sh
. "$here/lib-copy.sh"

copy() {
  local draft=$DATA.copying
  keep_slot || timed_out "PostgreSQL on $PEER does not let $SELF in"
  copy_from_peer "$draft" -S "$(slot_of "$SELF")"
  # For Debian's settings, which are outside of the data and the same as on the peer; its empty data goes.
  pg_createcluster --start-conf=manual -p "$PORT" 15 "$PAIR" >&2
  rm -rf "$DATA"
  mv "$draft" "$DATA"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 1)) || misuse "base-copy.sh takes PAIR, got: $*"
  local role did="has the cluster already"
  load_pair "$1"
  if ! is_made; then
    begin_making
    copy
    write_settings
    printf 'system_id=%s\n' "$(control_data 'Database system identifier')" | write_file "$(records)/cluster"
    did="has a copy of $PEER and streams"
  fi
  rm -f "$(records)/making"
  know_role
  if [[ $role == stopped && -e $DATA/standby.signal ]]; then
    start_server
    wait_until "$SELF streams from $PEER" 300 peer_sends "'streaming'"
  fi
  receipt "$SELF $did"
}

{
  main "$@"
  exit
}
