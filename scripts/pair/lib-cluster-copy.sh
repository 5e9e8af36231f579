# Sourced by the scripts that copy the pair's cluster from the peer.
# shellcheck shell=bash

# A copy that fills the disk would stop the running server.
require_room() {
  local need room
  need=$(peer_sql "select (sum(pg_database_size(oid)) / 1024)::bigint from pg_database") || timed_out "PostgreSQL on $PEER does not answer"
  room=$(df -k --output=avail "${DATA%/*}" | tail -n 1)
  ((room > need + need / 10 + 102400)) ||
    refuse "${DATA%/*} on $SELF has $room KiB free (needed: $need KiB of $PEER, 10 % and 100 MiB); make room"
}

# copy_from_peer DRAFT [OPTION…]: copy the cluster into folder DRAFT, so that a half copy never counts as data.
copy_from_peer() {
  local draft=$1
  install -d -o postgres -g postgres -m 0700 "${DATA%/*}"
  rm -rf "$draft"
  require_room
  log "copying the cluster of $PEER"
  as_postgres "$PG_BIN/pg_basebackup" -d "$(peer_server)" -D "$draft" -X stream "${@:2}" --checkpoint=fast --progress 2>&1 |
    tr '\r' '\n' | awk '!/kB \(/ || systime() - last >= 5 { print "  " $0; fflush(); last = systime() }' >&2 ||
    timed_out "the copy of the cluster of $PEER failed"
  as_postgres touch "$draft/standby.signal"
}

# change_places FOLDER FOLDER: exchange both in one act, so that a crash never leaves the data folder empty.
change_places() {
  python3 - "$@" <<'END'
import ctypes, os, sys
AT_FDCWD, RENAME_EXCHANGE = -100, 2
first, second = (os.fsencode(path) for path in sys.argv[1:])
libc = ctypes.CDLL(None, use_errno=True)
if libc.renameat2(AT_FDCWD, first, AT_FDCWD, second, RENAME_EXCHANGE):
    sys.exit(os.strerror(ctypes.get_errno()))
END
}
