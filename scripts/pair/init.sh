#!/usr/bin/env bash
# Have the pair's database cluster on this machine: a new one, or a copy if the peer has it.
# Usage: init.sh PAIR    (stdin: the password of the database's owner)
#
# Refuses (77) data that it did not make.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/pair/lib-settings.sh
. "$here/lib-settings.sh"

make_cluster() {
  log "making cluster 15/$PAIR on $SELF"
  pg_createcluster --start-conf=manual -p "$PORT" 15 "$PAIR" -- --data-checksums >&2
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
    receipt "$SELF has the cluster already"
    return
  fi
  peer=$(python3 "$here/ask.py" "$PAIR" cluster) ||
    timed_out "$PEER gave no answer, so it may have the data; nothing was made"
  # A second database would be another one: a machine that was made anew gets what there is.
  [[ $peer != ours ]] || exec bash "$here/base-copy.sh" "$PAIR"
  [[ $peer == absent ]] || refuse "$PEER has a database that was not made for pair $PAIR; move it away, or name another machine"
  begin_making
  make_cluster
  make_roles "$password"
  sql "select 'system_id=' || system_identifier from pg_control_system()" | write_file "$(records)/cluster"
  rm "$(records)/making"
  receipt "$SELF has cluster 15/$PAIR with database $DATABASE"
}

{
  main "$@"
  exit
}
