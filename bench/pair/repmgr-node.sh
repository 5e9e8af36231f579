#!/usr/bin/env bash
# Make this host a node of a repmgr pair, for the comparison in bench/pair.ts.
# Usage: repmgr-node.sh CLUSTER PORT NODE-ID SELF-ADDRESS PEER-ADDRESS SERVICE-ADDRESS HOOK primary|standby
#
# Its cluster stands beside those of the other tools. The set-up is the one of the tool's
# manual: streaming, no slots, wal_log_hints, service commands by sudo. With HOOK yes the
# address is moved by a command on standby_promote; with no, somebody else moves it.

set -euo pipefail

cluster=$1 port=$2 node=$3 self=$4 peer=$5 service=$6 hook=$7 role=$8
readonly data=/var/lib/postgresql/15/$cluster conf=/etc/repmgr-$cluster.conf

as_postgres() { runuser -u postgres -- "$@"; }

configure_cluster() {
  [[ -d /etc/postgresql/15/$cluster ]] || pg_createcluster -p "$port" 15 "$cluster"
  cat >"/etc/postgresql/15/$cluster/conf.d/bench.conf" <<END
listen_addresses = '*'
wal_log_hints = on
hot_standby = on
max_wal_senders = 10
wal_keep_size = 256MB
shared_preload_libraries = 'repmgr'
END
  cat >"/etc/postgresql/15/$cluster/pg_hba.conf" <<END
local all all trust
host all all ${self%.*}.0/24 trust
host replication all ${self%.*}.0/24 trust
END
}

configure_repmgr() {
  cat >"$conf" <<END
node_id=$node
node_name='$HOSTNAME'
conninfo='host=$self port=$port user=repmgr dbname=repmgr connect_timeout=2'
data_directory='$data'
pg_bindir='/usr/lib/postgresql/15/bin'
service_start_command='sudo systemctl start postgresql@15-$cluster'
service_stop_command='sudo systemctl stop postgresql@15-$cluster'
service_restart_command='sudo systemctl restart postgresql@15-$cluster'
service_reload_command='sudo systemctl reload postgresql@15-$cluster'
ssh_options='-q -o ConnectTimeout=5 -o StrictHostKeyChecking=no'
END
  echo 'postgres ALL=(root) NOPASSWD: ALL' >/etc/sudoers.d/bench
}

move_address_on_promotion() {
  cat >>"$conf" <<END
event_notification_command='/usr/local/bin/bench-take-address'
event_notifications='standby_promote'
END
  cat >/usr/local/bin/bench-take-address <<END
#!/bin/sh
ssh -q -o ConnectTimeout=2 -o StrictHostKeyChecking=no $peer sudo ip address del $service/32 dev eth0 &
sudo ip address add $service/32 dev eth0
sudo arping -q -c 1 -A -I eth0 $service
sudo arping -q -c 1 -U -I eth0 $service
END
  chmod 0755 /usr/local/bin/bench-take-address
}

main() {
  configure_cluster
  configure_repmgr
  [[ $hook == no ]] || move_address_on_promotion
  if [[ $role == primary ]]; then
    systemctl restart "postgresql@15-$cluster"
    as_postgres createuser -p "$port" -s repmgr
    as_postgres createdb -p "$port" -O repmgr repmgr
    as_postgres createuser -p "$port" -s bench
    as_postgres createdb -p "$port" -O bench bench
    as_postgres repmgr -f "$conf" primary register
    [[ $hook == no ]] || ip address add "$service/32" dev eth0
    [[ $hook == no ]] || arping -q -c 1 -U -I eth0 "$service"
  else
    systemctl stop "postgresql@15-$cluster"
    find "$data" -mindepth 1 -delete
    as_postgres repmgr -f "$conf" -h "$peer" -p "$port" -U repmgr -d repmgr standby clone --fast-checkpoint
    systemctl start "postgresql@15-$cluster"
    as_postgres repmgr -f "$conf" standby register --wait-sync=30
  fi
}

{
  main "$@"
  exit
}
