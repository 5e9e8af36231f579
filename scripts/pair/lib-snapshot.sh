# Sourced by the scripts of a pair whose database is copied at intervals: `replication: snapshot`.
# shellcheck shell=bash

# Stop streaming until the next copy.
pause_streaming() {
  printf '%s\n' "# until the next copy" "primary_conninfo = ''" "primary_slot_name = ''" | write_as_postgres "$PAUSED"
  ! is_running || reload_server
}

# Drop this machine's slot on the peer; whether it is gone.
has_no_slot_there() {
  [[ $(peer_sql "select count(pg_drop_replication_slot(slot_name)) from pg_replication_slots
      where slot_name = '$(slot_of "$SELF")' and not active;
    select count(*) from pg_replication_slots where slot_name = '$(slot_of "$SELF")'" | tail -n 1) == 0 ]]
}

# note_database TIME: record a copy of the database.
note_database() {
  install -d "$(records)/copies"
  printf 'at=%s\nserving=%s\nfrom=%s\n' "$1" "$(python3 "$SCRIPTS/pair/ask_peer.py" "$PAIR" served || echo 0)" "$PEER" | write_file "$(records)/copies/database"
}
