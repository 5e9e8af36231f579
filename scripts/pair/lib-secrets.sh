# Sourced by the scripts that get the pair's secrets, one for each purpose: its files on this machine, its roles in the database.
# shellcheck shell=bash

# By purpose: peer (what the machines say to each other), replication (role changeover), rsync (the copies), checks (role
# changeover_check), owner (the owner of the database).
declare -A SECRET=()

# read_secrets PURPOSE…: read lines PURPOSE=SECRET from stdin. They get into statements and files as they are.
read_secrets() {
  local line purpose
  while IFS= read -r line || [[ -n $line ]]; do SECRET[${line%%=*}]=${line#*=}; done
  for purpose in "$@"; do
    [[ ${SECRET[$purpose]:-} =~ ^[A-Za-z0-9_-]{1,200}$ ]] || misuse "stdin has no line $purpose=… of letters, digits, _ and -"
  done
}

# Until the peer has shown that it has the new one too, both are good: the machines never stop hearing each other.
write_peer_secret() {
  local file=/etc/$PAIR/secret before=''
  [[ ! -r $file ]] || before=$(<"$file")
  if [[ -n $before && $before != "${SECRET[peer]}" ]]; then
    {
      cat "$file.before" 2>/dev/null || true
      printf '%s\n' "$before"
    } | write_file "$file.before" 0600
  fi
  write_file "$file" 0600 <<<"${SECRET[peer]}"
}

write_rsync_secret() {
  write_file "/etc/$PAIR/rsync.pass" 0600 <<<"${SECRET[rsync]}"
  write_file "/etc/$PAIR/rsync.secrets" 0600 <<<"changeover:${SECRET[rsync]}"
}

# The folder is root's, so nobody exchanges the file before it is given away.
write_pgpass() {
  write_file "$1" 0600 <<<"*:*:*:changeover:${SECRET[replication]}"
  chown -h postgres: "$1"
}

peer_admits() { PGPASSFILE=$1 peer_sql 'select 1' >/dev/null 2>&1; }

# The server that accepts writes learns a password first. A standby that had it earlier could not connect again meanwhile.
write_pgpass_when_admitted() {
  write_pgpass "$PGPASSFILE.new"
  if [[ -r $PGPASSFILE ]] && ! cmp -s "$PGPASSFILE" "$PGPASSFILE.new"; then
    becomes 10 admits_new_or_none || log "PostgreSQL on $PEER does not know the new password yet; $SELF connects again once it does"
  fi
  mv "$PGPASSFILE.new" "$PGPASSFILE"
}
admits_new_or_none() { peer_admits "$PGPASSFILE.new" || ! peer_admits "$PGPASSFILE"; }

# kept_of PURPOSE: what the database keeps of a password. No statement has the password itself: logs and statistics keep those.
kept_of() { python3 -I "$SCRIPTS/pair/scram.py" <<<"${SECRET[$1]}"; }

# Tell the database its roles and their passwords, on a server that accepts writes. No commit of this waits for a standby.
tell_roles() {
  local replication owner
  replication=$(kept_of replication)
  owner=$(kept_of owner)
  sql "$QUIETLY set client_min_messages = warning; set synchronous_commit = local;
    do \$\$ begin
      if not exists (select from pg_roles where rolname = 'changeover') then create role changeover login replication; end if;
      if not exists (select from pg_roles where rolname = '$DATABASE') then create role \"$DATABASE\" login; end if;
    end \$\$;
    alter role changeover password '$replication';
    alter role \"$DATABASE\" password '$owner';
    grant pg_monitor to changeover;
    grant execute on function pg_ls_dir(text, boolean, boolean), pg_stat_file(text, boolean),
      pg_read_binary_file(text), pg_read_binary_file(text, bigint, bigint, boolean) to changeover;"
  tell_check_role
}

# The role of the checks sees who streams and whether writes are accepted, and nothing of the data.
tell_check_role() {
  local checks
  checks=$(kept_of checks)
  sql "$QUIETLY set client_min_messages = warning; set synchronous_commit = local;
    do \$\$ begin
      if not exists (select from pg_roles where rolname = 'changeover_check') then create role changeover_check login; end if;
    end \$\$;
    alter role changeover_check password '$checks';
    grant pg_read_all_stats to changeover_check;"
}

# The database is made after its roles.
admit_checks() { sql "set synchronous_commit = local; grant connect on database \"$DATABASE\" to changeover_check"; }
