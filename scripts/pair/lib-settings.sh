# Sourced by the scripts that write the settings of the pair's cluster.
# shellcheck shell=bash

postgresql_conf() {
  cat <<END
listen_addresses = '*'
port = $PORT
cluster_name = '$PAIR/$SELF'
wal_level = replica
# pg_rewind needs it on a cluster without checksums
wal_log_hints = on
hot_standby = on
max_wal_senders = 10
max_replication_slots = 10
# a standby that is down for long must not fill the disk of production
max_slot_wal_keep_size = 4GB
wal_keep_size = 256MB
primary_conninfo = 'host=$PEER_ADDRESS port=$PORT user=changeover passfile=$PGPASSFILE application_name=$SELF connect_timeout=5 $PROVED'
primary_slot_name = '$(slot_of "$SELF")'
recovery_target_timeline = latest
wal_retrieve_retry_interval = 200ms
wal_receiver_status_interval = 1s
tcp_keepalives_idle = 10
tcp_keepalives_interval = 5
tcp_keepalives_count = 3
password_encryption = scram-sha-256
END
}

# Who may log in as whom, and from where. The role of the other machine may read the whole cluster: it has that address only.
pg_hba_conf() {
  local network
  echo 'local all postgres peer'
  echo 'local all all scram-sha-256'
  echo "hostssl replication changeover $PEER_ADDRESS/32 scram-sha-256"
  echo "hostssl postgres changeover $PEER_ADDRESS/32 scram-sha-256"
  echo "host \"$DATABASE\" changeover 127.0.0.1/32 scram-sha-256"
  echo 'host all,replication changeover all reject'
  echo 'host all all 127.0.0.1/32 scram-sha-256'
  for network in ${NETWORK:-} ${CLIENTS//,/ }; do
    echo "host \"$DATABASE\" \"$DATABASE\" $network scram-sha-256"
    echo "host \"$DATABASE\" changeover_check $network scram-sha-256"
  done
}

# Roles that clients may have used while an earlier release let every role in.
other_roles() {
  ! is_running || sql "select rolname from pg_roles where rolcanlogin and not rolsuper and not rolreplication
    and rolname not in ('$DATABASE', 'changeover', 'changeover_check') and rolname ~ '^[A-Za-z0-9_.-]+\$' order by 1" 2>/dev/null || true
}

write_pg_hba() {
  local -a roles=()
  local text
  grep -qsF '# --- Changeover:' "$SETTINGS/pg_hba.conf" || mapfile -t roles < <(other_roles)
  ((!${#roles[@]})) || log "$SELF keeps lines for ${roles[*]} in pg_hba.conf: until now clients could log in as every role"
  # All of it is there before the file is replaced: half a text would lock users out.
  text=$(pg_hba_conf | as_postgres /usr/bin/python3 -I "$SCRIPTS/pair/pg_hba.py" "$SETTINGS/pg_hba.conf" "${roles[@]}")
  write_as_postgres "$SETTINGS/pg_hba.conf" 0640 <<<"$text"
}

# The other machine connects encrypted only. A server that an operator set up without gets a certificate of its own; nobody
# has to trust it, since the password is proved bound to it.
write_tls() {
  local tls=$SETTINGS/conf.d/changeover-tls.conf
  [[ ! -e $tls && $(as_postgres "$PG_BIN/postgres" -C ssl -D "$DATA" -c config_file="$SETTINGS/postgresql.conf" 2>/dev/null) == off ]] || return 0
  log "PostgreSQL on $SELF gets a certificate: its setting ssl is off"
  as_postgres openssl req -x509 -newkey rsa:3072 -sha256 -nodes -days 36500 -subj "/CN=$SELF" \
    -keyout "$SETTINGS/changeover.key" -out "$SETTINGS/changeover.crt" 2>/dev/null || timed_out "openssl on $SELF makes no certificate"
  printf '%s\n' 'ssl = on' "ssl_cert_file = '$SETTINGS/changeover.crt'" "ssl_key_file = '$SETTINGS/changeover.key'" | write_as_postgres "$tls"
}

# Write the settings of the cluster; the caller starts or reloads the server. Other files in conf.d are not touched.
write_settings() {
  write_file "$(records)/machine" <<<"id=$(</etc/machine-id)"
  write_tls
  postgresql_conf | write_as_postgres "$SETTINGS/conf.d/changeover.conf"
  write_pg_hba
  echo manual | write_as_postgres "$SETTINGS/start.conf"
}

# Whether the pair's cluster exists. A half-created cluster of an earlier attempt does not count; any other is refused.
is_made() {
  [[ ! -e $(records)/making || -e $(records)/cluster ]] && [[ -e $DATA/PG_VERSION ]] || return 1
  require_own_cluster
}

# The database is lost, and an operator's own files of it are not. PostgreSQL would take a folder beside them for a cluster.
set_settings_aside() {
  local aside
  printf -v aside '%s.aside-settings-%(%Y%m%dT%H%M%S)T' "$DATA" -1
  make_data_parent
  as_postgres mv -T "$SETTINGS" "$aside"
  log "the settings of the lost database of $SELF are set aside as $aside; what is needed of them goes to $SETTINGS/conf.d"
}

# Remove what an earlier attempt left, and nothing else.
begin_making() {
  if [[ -e $(records)/making ]]; then
    stop_server
    as_postgres rm -rf "$DATA" "$SETTINGS"
  elif [[ -e $(records)/cluster && -e $SETTINGS ]]; then
    set_settings_aside
  fi
  [[ ! -e $SETTINGS && (! -e $DATA || -z $(ls -A "$DATA")) ]] ||
    refuse "$SETTINGS or $DATA exists on $SELF and was not created for pair $PAIR; move it away, or name another machine"
  as_postgres rm -rf "$DATA.copying"
  write_file "$(records)/making" <<<"since=$EPOCHSECONDS"
  rm -f "$(records)/cluster" "$(records)/rewinding" "$(records)/retired"
}
