# Sourced by the scripts that copy the pair's cluster from the peer.
# shellcheck shell=bash

# The copy is made beside, so that a half of one is never taken for data. The peer keeps the log for it in our slot.
copy_from_peer() {
  local draft=$1
  rm -rf "$draft"
  install -d -o postgres -g postgres -m 0700 "${DATA%/*}"
  log "copying the cluster of $PEER"
  as_postgres "$PG_BIN/pg_basebackup" -d "$(peer_server)" -D "$draft" -X stream -S "$(slot_of "$SELF")" --checkpoint=fast --progress 2>&1 |
    tr '\r' '\n' | awk '!/kB \(/ || systime() - last >= 5 { print "  " $0; fflush(); last = systime() }' >&2 ||
    timed_out "the copy from $PEER broke off"
  as_postgres touch "$draft/standby.signal"
}
