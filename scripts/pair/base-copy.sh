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

# The copy is made beside, so that a half of one is never taken for data.
copy() {
  local draft=$DATA.copying from="host=$PEER_ADDRESS port=$PORT user=changeover dbname=postgres application_name=$SELF"
  rm -rf "$draft"
  install -d -o postgres -g postgres -m 0700 "${DATA%/*}"
  log "copying the cluster of $PEER"
  as_postgres "$PG_BIN/psql" -XAtq -d "$from" \
    -c "select pg_create_physical_replication_slot('$SELF') where not exists (select from pg_replication_slots where slot_name = '$SELF')" >/dev/null
  as_postgres "$PG_BIN/pg_basebackup" -d "$from" -D "$draft" -X stream -S "$SELF" --checkpoint=fast --progress 2>&1 |
    stdbuf -oL tr '\r' '\n' | awk '{ now = systime() } now - last >= 5 { print "  " $0; fflush(); last = now }' >&2
  [[ ${PIPESTATUS[0]} -eq 0 ]] || timed_out "the copy from $PEER failed"
  as_postgres touch "$draft/standby.signal"
  [[ -d /etc/postgresql/15/$PAIR ]] || pg_createcluster --start-conf=auto -p "$PORT" 15 "$PAIR" >&2
  rm -rf "$DATA"
  mv "$draft" "$DATA"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 1)) || misuse "base-copy.sh takes PAIR, got: $*"
  load_pair "$1"
  if [[ -e $DATA/PG_VERSION && ! -e $(records)/making ]]; then
    require_own_cluster
    receipt "$SELF has the cluster already"
    return
  fi
  : >"$(records)/making"
  copy
  write_settings
  "$PG_BIN/pg_controldata" "$DATA" | sed -n 's/^Database system identifier: */system_id=/p' | write_file "$(records)/cluster"
  rm "$(records)/making"
  start_server
  wait_until "$SELF streams from $PEER" 60 is_receiving
  receipt "$SELF has a copy of $PEER and streams"
}

{
  main "$@"
  exit
}
