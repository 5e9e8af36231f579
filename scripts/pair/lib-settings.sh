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
primary_conninfo = 'host=$PEER_ADDRESS port=$PORT user=changeover passfile=$PGPASSFILE application_name=$SELF connect_timeout=5'
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

pg_hba_conf() {
  local network
  echo 'local all postgres peer'
  echo 'local all all scram-sha-256'
  echo "host replication changeover $PEER_ADDRESS/32 scram-sha-256"
  echo "host all changeover $PEER_ADDRESS/32 scram-sha-256"
  echo 'host all all 127.0.0.1/32 scram-sha-256'
  for network in ${NETWORK:-} ${CLIENTS//,/ }; do echo "host all all $network scram-sha-256"; done
}

# Write the settings of the cluster; the caller starts or reloads the server.
write_settings() {
  postgresql_conf | write_file "$SETTINGS/conf.d/changeover.conf"
  pg_hba_conf | write_file "$SETTINGS/pg_hba.conf" 0640
  chown postgres: "$SETTINGS/pg_hba.conf"
  echo manual | write_file "$SETTINGS/start.conf"
}

# Whether the pair's cluster exists. A half-created cluster of an earlier attempt does not count; any other is refused.
is_made() {
  [[ ! -e $(records)/making || -e $(records)/cluster ]] && [[ -e $DATA/PG_VERSION ]] || return 1
  require_own_cluster
}

# Remove what an earlier attempt left, and nothing else.
begin_making() {
  if [[ -e $(records)/making ]]; then
    stop_server
    rm -rf "$DATA"
  fi
  [[ ! -e $(records)/making && ! -e $(records)/cluster ]] || rm -rf "$SETTINGS"
  [[ ! -e $SETTINGS && (! -e $DATA || -z $(ls -A "$DATA")) ]] ||
    refuse "$SETTINGS or $DATA exists on $SELF and was not created for pair $PAIR; move it away, or name another machine"
  rm -rf "$DATA.copying"
  : >"$(records)/making"
  rm -f "$(records)/cluster" "$(records)/rewinding" "$(records)/retired"
}
