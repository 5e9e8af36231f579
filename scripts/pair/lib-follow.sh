# Sourced by the scripts that make this machine stream from its peer.
# shellcheck shell=bash

# What only this machine has, from the fork on, is kept before it is rewound: the log's files of 16 MiB from there.
set_aside() {
  local fork=$1 keep file first need room
  local -a files
  keep=$(records)/set-aside/$(value_of "$(records)/claim" epoch)-${fork//\//-}
  printf -v first '%08X%08X' $((16#${fork%/*})) $((16#${fork#*/} >> 24))
  for file in "$DATA"/pg_wal/[0-9A-F]*; do
    [[ $file == *.history || (${#file} -eq $((${#DATA} + 32)) && ! ${file: -16} < $first) ]] && files+=("$file")
  done
  need=$(du -ck "${files[@]}" | tail -n 1 | cut -f 1)
  room=$(df -k --output=avail "$(records)" | tail -n 1)
  ((room > need + 102400)) || refuse "no room to set aside the $need KiB that only $SELF has ($room KiB free); make room in $(records)"
  install -d -m 0700 "$keep"
  cp -a --sparse=always "${files[@]}" "$keep/"
  sync -f "$keep"
  log "set aside under $keep: $need KiB of log; what was written here after $fork is in it"
}

# A half-rewound server must not be started, by nobody: the record tells our scripts, the other file the boot.
rewind() {
  local said fork boot=/etc/postgresql/15/$PAIR/start.conf
  stop_server
  said=$(LC_ALL=C as_postgres "$PG_BIN/pg_rewind" --dry-run -D "$DATA" --source-server="$(peer_server)" 2>&1) ||
    refuse "$SELF can't be rewound to follow $PEER: ${said##*$'\n'}; move $DATA away, and let provisioning make a new copy"
  fork=$(sed -n 's/.*diverged at WAL location \([0-9A-F/]*\).*/\1/p' <<<"$said")
  if [[ -n $fork && $said != *'no rewind required'* ]]; then
    set_aside "$fork"
    log "rewinding $SELF to $fork"
    echo manual >"$boot"
    : >"$(records)/rewinding"
    as_postgres "$PG_BIN/pg_rewind" -D "$DATA" --source-server="$(peer_server)" >&2
    as_standby
    rm "$(records)/rewinding"
    echo auto >"$boot"
  fi
  start_server
}

# Stream from the peer: as it is, or rewound when this machine went another way.
follow_peer() {
  keep_slot || timed_out "PostgreSQL on $PEER does not let $SELF in"
  as_standby
  if [[ ! -e $(records)/rewinding ]]; then
    start_server
    ! becomes 8 is_receiving || return 0
    log "$SELF does not stream from $PEER; looking whether it went another way"
  fi
  rewind
  wait_until "$SELF streams from $PEER" 60 is_receiving
}
