# Sourced by the scripts that make this machine stream from its peer.
# shellcheck shell=bash

# What only this machine has, from the fork on, is kept before it is rewound.
set_aside() {
  local fork=$1 keep need room
  keep=$(records)/set-aside/$(value_of "$(records)/claim" epoch)-${fork//\//-}
  need=$(du -sk "$DATA/pg_wal" | cut -f 1)
  room=$(df -k --output=avail "$(records)" | tail -n 1)
  ((room > need + 102400)) || refuse "no room to set aside the $need KiB that only $SELF has; make room in $(records)"
  install -d -m 0700 "$keep"
  cp -a "$DATA/pg_wal/." "$keep/"
  log "set aside under $keep: $need KiB of log; what was written here after $fork is in it"
}

rewind() {
  local from="host=$PEER_ADDRESS port=$PORT user=changeover dbname=postgres" said fork
  stop_server
  said=$(as_postgres "$PG_BIN/pg_rewind" --dry-run -D "$DATA" --source-server="$from" 2>&1) ||
    refuse "$SELF can't be made to follow $PEER: ${said##*$'\n'}; move $DATA away, and base-copy.sh makes a new copy"
  fork=$(sed -n 's/.*diverged at WAL location \([0-9A-F/]*\).*/\1/p' <<<"$said")
  if [[ -n $fork && $said != *'no rewind required'* ]]; then
    set_aside "$fork"
    log "rewinding $SELF to $fork"
    as_postgres "$PG_BIN/pg_rewind" -D "$DATA" --source-server="$from" >&2
  fi
  as_standby
  start_server
}

# Stream from the peer: as it is, or rewound when this machine went another way.
follow_peer() {
  [[ -e $DATA/standby.signal ]] || as_standby
  start_server
  (wait_until "$SELF streams from $PEER" 8 is_receiving) || {
    rewind
    wait_until "$SELF streams from $PEER" 60 is_receiving
  }
}
