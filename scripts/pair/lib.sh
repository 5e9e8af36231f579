# Sourced by the scripts of a pair: its file on this machine, its server, its address.
# shellcheck shell=bash

readonly PG_BIN=/usr/lib/postgresql/15/bin
PAIR='' SELF='' PEER='' PEER_ADDRESS='' SERVICE_ADDRESS='' INTERFACE='' DATABASE='' PORT=''

# Read what configure.sh told this machine, as variables.
load_pair() {
  local file=/etc/$1/$1.conf key value
  export CHANGEOVER_COMPONENT=$1
  [[ -r $file ]] || refuse "$HOSTNAME has no $file; provisioning has not run on it"
  while IFS='=' read -r key value; do
    [[ ! $key =~ ^[A-Z_]+$ ]] || printf -v "$key" '%s' "$value"
  done <"$file"
  DATA=/var/lib/postgresql/15/$PAIR
  UNIT=postgresql@15-$PAIR
  export PGPASSFILE=/etc/$PAIR/pgpass
  cd /
}

as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"; }

# One answer of this machine's own server, over its socket; statements come on stdin, never on a command line.
sql() { as_postgres "$PG_BIN/psql" -XAtq -v ON_ERROR_STOP=1 -d "${2:-postgres}" -p "$PORT" <<<"$1"; }

server_pid() {
  local pid
  pid=$(head -n 1 "$DATA/postmaster.pid" 2>/dev/null) || return 1
  [[ -n $pid && $(cat "/proc/$pid/comm" 2>/dev/null) == postgres ]] && printf '%s\n' "$pid"
}

is_running() { server_pid >/dev/null; }
answers() { [[ $(sql 'select 1' 2>/dev/null) == 1 ]]; }
accepts_writes() { is_running && [[ $(sql 'select pg_is_in_recovery()' 2>/dev/null) == f ]]; }
in_recovery() { is_running && [[ $(sql 'select pg_is_in_recovery()' 2>/dev/null) == t ]]; }
is_receiving() { [[ $(sql "select count(*) from pg_stat_wal_receiver where status = 'streaming'" 2>/dev/null) == 1 ]]; }

start_server() {
  is_running || log "starting PostgreSQL on $SELF"
  timeout 120 systemctl start "$UNIT" || timed_out "$UNIT does not start; see /var/log/postgresql/postgresql-15-$PAIR.log"
  wait_until "PostgreSQL on $SELF answers" 120 answers
}

stop_server() {
  log "stopping PostgreSQL on $SELF"
  timeout 120 systemctl stop "$UNIT" || timed_out "$UNIT does not stop"
}

as_standby() { install -o postgres -g postgres -m 0600 /dev/null "$DATA/standby.signal"; }

require_own_cluster() {
  local recorded found
  recorded=$(value_of "$(records)/cluster" system_id)
  [[ -n $recorded ]] || refuse "$DATA on $SELF was not made for pair $PAIR; move it away, or name another machine"
  found=$("$PG_BIN/pg_controldata" "$DATA" | sed -n 's/^Database system identifier: *//p')
  [[ $recorded == "$found" ]] || refuse "$DATA on $SELF is database $found, the pair's is $recorded"
}

holds_address() { [[ -n $(ip -o address show to "$SERVICE_ADDRESS/32") ]]; }

# The machine's interface for the service address: named, or the one that carries its own address.
service_interface() {
  [[ $INTERFACE == auto ]] || { printf '%s\n' "$INTERFACE" && return; }
  ip -o address show to "$SELF_ADDRESS/32" | sed -n '1s/^[0-9]*: *\([^ @]*\).*/\1/p'
}
