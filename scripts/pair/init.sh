#!/usr/bin/env bash
# Create the pair's database cluster on this machine, or copy it from the peer.
# Usage: init.sh PAIR    (stdin: the password of the database's owner)
#
# Refuses (77) a cluster that this program did not create.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/pair/lib-settings.sh
. "$here/lib-settings.sh"

make_cluster() {
  log "creating cluster $PG_MAJOR/$PAIR on $SELF"
  pg_createcluster --start-conf=manual -p "$PORT" "$PG_MAJOR" "$PAIR" -- --data-checksums >&2
  write_settings
  start_server
}

make_roles() {
  local secret
  secret=$(<"/etc/$PAIR/secret")
  sql "$QUIETLY do \$\$ begin
    if not exists (select from pg_roles where rolname = 'changeover') then create role changeover login replication; end if;
    if not exists (select from pg_roles where rolname = '$DATABASE') then
      create role \"$DATABASE\" login password '$1'; end if; end \$\$;
    alter role changeover password '$secret';
    grant pg_monitor to changeover;
    grant execute on function pg_ls_dir(text, boolean, boolean), pg_stat_file(text, boolean),
      pg_read_binary_file(text), pg_read_binary_file(text, bigint, bigint, boolean) to changeover;"
  [[ $(sql "select count(*) from pg_database where datname = '$DATABASE'") == 1 ]] ||
    sql "create database \"$DATABASE\" owner \"$DATABASE\""
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 1)) || misuse "init.sh takes PAIR, got: $*"
  local password="" peer
  read_secret password "the owner's password"
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
  begin_making
  make_cluster
  make_roles "$password"
  sql "select 'system_id=' || system_identifier from pg_control_system()" | write_file "$(records)/cluster"
  rm "$(records)/making"
  receipt "$SELF has cluster $PG_MAJOR/$PAIR with database $DATABASE"
}

{
  main "$@"
  exit
}
