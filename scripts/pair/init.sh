#!/usr/bin/env bash
# Create the pair's database cluster on this machine, or copy it from the peer.
# Usage: init.sh PAIR    (stdin: the pair's secrets, as for configure.sh)
#
# Refuses (77) a cluster that this program did not create.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/pair/lib-settings.sh
. "$here/lib-settings.sh"
# shellcheck source=scripts/pair/lib-secrets.sh
. "$here/lib-secrets.sh"
# shellcheck source=scripts/pair/lib-cluster-copy.sh
. "$here/lib-cluster-copy.sh"

make_cluster() {
  log "creating cluster $PG_MAJOR/$PAIR on $SELF"
  pg_createcluster --start-conf=manual -p "$PORT" "$PG_MAJOR" "$PAIR" -- --data-checksums >&2
  write_settings
  start_server
}

make_database() {
  tell_roles
  [[ $(sql "select count(*) from pg_database where datname = '$DATABASE'") == 1 ]] ||
    sql "create database \"$DATABASE\" owner \"$DATABASE\""
  admit_checks
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 1)) || misuse "init.sh takes PAIR, got: $*"
  local peer system_id
  read_secrets replication checks owner
  load_pair "$1"
  if is_made; then
    receipt "$SELF already has the cluster"
    return
  fi
  peer=$(python3 "$here/ask_peer.py" "$PAIR" cluster) ||
    timed_out "$PEER does not answer and may have the database; nothing was created"
  # A rebuilt machine gets a copy of the pair's database, not a second one.
  [[ $peer != ours ]] || exec bash "$here/base-copy.sh" "$PAIR"
  [[ $peer == absent ]] || refuse "$PEER has a database that was not created for pair $PAIR; move it away, or name another machine"
  require_movable
  begin_making
  make_cluster
  make_database
  system_id=$(sql "select system_identifier from pg_control_system()")
  write_file "$(records)/cluster" <<<"system_id=$system_id"
  rm "$(records)/making"
  receipt "$SELF has cluster $PG_MAJOR/$PAIR with database $DATABASE"
}

{
  main "$@"
  exit
}
