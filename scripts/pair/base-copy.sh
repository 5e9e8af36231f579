#!/usr/bin/env bash
# Copy the pair's cluster from the peer, and stream from the peer.
# Usage: base-copy.sh PAIR
#
# Refuses (77) a cluster that this program did not create.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/pair/lib-settings.sh
. "$here/lib-settings.sh"
# shellcheck source=scripts/pair/lib-cluster-copy.sh
. "$here/lib-cluster-copy.sh"

copy() {
  local draft=$DATA.copying places=''
  keep_slot || timed_out "PostgreSQL on $PEER rejects the connection from $SELF"
  copy_from_peer "$draft" -S "$(slot_of "$SELF")"
  # Creates Debian's settings outside the data folder; the empty data folder is replaced by the copy.
  pg_createcluster --start-conf=manual -p "$PORT" "$PG_MAJOR" "$PAIR" >&2
  as_postgres rm -rf "$DATA"
  put_in_place "$draft" "$DATA.aside-$EPOCHSECONDS"
  rm -f "$(records)/rewinding"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 1)) || misuse "base-copy.sh takes PAIR, got: $*"
  local role did="already has the cluster"
  load_pair "$1"
  if ! is_made; then
    require_movable
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
