# Sourced by the scripts of a pair: its file on this machine, its server, its service address. The peer is the other
# machine of the pair.
# shellcheck shell=bash

PG_MAJOR=$(<"${BASH_SOURCE[0]%/*}/postgres-version")
readonly PG_MAJOR PG_BIN=/usr/lib/postgresql/$PG_MAJOR/bin
# Every session of these scripts has these options, whatever limits a server, database or role has for its clients.
SESSION_OPTIONS=$(<"${BASH_SOURCE[0]%/*}/session-options")
readonly SESSION_OPTIONS
# shellcheck disable=SC2034
PAIR='' SELF='' PEER='' PEER_ADDRESS='' SERVICE_ADDRESS='' INTERFACE='' DATABASE='' PORT=''

# Read the file that configure.sh wrote on this machine, as variables.
load_pair() {
  local file=/etc/$1/$1.conf key value
  export CHANGEOVER_COMPONENT=$1
  [[ -r $file ]] || refuse "$HOSTNAME has no $file; provisioning has not run on it"
  while IFS='=' read -r key value; do
    [[ ! $key =~ ^[A-Z_]+$ ]] || printf -v "$key" '%s' "$value"
  done <"$file"
  DATA=/var/lib/postgresql/$PG_MAJOR/$PAIR
  UNIT=postgresql@$PG_MAJOR-$PAIR
  SETTINGS=/etc/postgresql/$PG_MAJOR/$PAIR
  COMMITS=$SETTINGS/conf.d/commits.conf
  PAUSED=$SETTINGS/conf.d/stands-still.conf
  # An operator's own variables of libpq, such as PGHOST, would lead to another server.
  unset PGHOST PGHOSTADDR PGPORT PGUSER PGDATABASE PGPASSWORD PGSERVICE PGSERVICEFILE PGTARGETSESSIONATTRS
  export PGPASSFILE=/etc/$PAIR/pgpass PGCONNECT_TIMEOUT=5 PGOPTIONS=$SESSION_OPTIONS
  cd /
}

as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"; }

# Before statements that contain a password, to keep it out of the server's log.
# shellcheck disable=SC2034
readonly QUIETLY="set log_statement = none; set log_min_error_statement = panic;"

# sql STATEMENT [DATABASE]: ask this machine's server over its socket. Statements come on stdin, hidden from process lists.
# SQL_LIMIT: the seconds after which a server that hangs counts as silent.
sql() { as_postgres ${SQL_LIMIT:+timeout "$SQL_LIMIT"} "$PG_BIN/psql" -XAtq -v ON_ERROR_STOP=1 -d "${2:-postgres}" -p "$PORT" <<<"$1"; }

# The connection string of the peer's server; the password is in the file PGPASSFILE.
peer_server() { printf 'host=%s port=%s user=changeover dbname=postgres application_name=%s' "$PEER_ADDRESS" "$PORT" "$SELF"; }
peer_sql() { as_postgres "$PG_BIN/psql" -XAtq -v ON_ERROR_STOP=1 -d "$(peer_server)" <<<"$1"; }

# The name of a host's slot. Slots have no hyphens, hosts no underscores.
slot_of() { printf '%s\n' "${1//-/_}"; }

# Have the peer keep the log that this machine has not read yet; safe to repeat.
keep_slot() {
  peer_sql "select pg_drop_replication_slot(slot_name) from pg_replication_slots
      where slot_name = '$(slot_of "$SELF")' and not active and wal_status = 'lost';
    select pg_create_physical_replication_slot('$(slot_of "$SELF")', true)
    where not exists (select from pg_replication_slots where slot_name = '$(slot_of "$SELF")')" >/dev/null
}

# becomes SECONDS COMMAND…: whether COMMAND succeeds within SECONDS.
becomes() {
  local deadline=$(($(monotonic_ms) + $1 * 1000))
  shift
  until "$@"; do
    (($(monotonic_ms) < deadline)) || return 1
    pause 0.01
  done
}

# The server's process, checked by its working folder: an old file may name a process that is another program by now.
server_pid() {
  local pid=''
  { read -r pid <"$DATA/postmaster.pid"; } 2>/dev/null || true
  [[ -n $pid && /proc/$pid/cwd -ef $DATA ]] && printf '%s\n' "$pid"
}

is_running() { server_pid >/dev/null; }

# Sets `role` to what the server is now: stopped, writer, standby; silent while it runs and does not answer.
look_at_role() {
  role=stopped
  is_running || return 0
  case $(SQL_LIMIT=10 sql 'select pg_is_in_recovery()' 2>/dev/null) in
    f) role=writer ;;
    t) role=standby ;;
    *) role=silent ;;
  esac
}
says_its_role() { look_at_role && [[ $role != silent ]]; }
# A server that does not answer may accept writes, so no script continues without its answer.
know_role() { wait_until "PostgreSQL on $SELF answers whether it accepts writes" 60 says_its_role; }

# peer_sends STATES: whether the peer sends log to this machine in one of these states, such as 'streaming', 'catchup'.
peer_sends() {
  [[ $(peer_sql "select count(*) from pg_stat_replication where application_name = '$SELF' and state in ($1)") == 1 ]]
}

# Debian's start command returns seconds after the server runs, and fails when a stop overtakes it: do not wait for it.
start_once() {
  systemctl start --no-block "$UNIT"
  becomes 3 is_running
}

# note_log: what the server's log has until now says nothing of the start that comes.
SERVER_LOG='' LOGGED=0
note_log() {
  SERVER_LOG=/var/log/postgresql/postgresql-$PG_MAJOR-$PAIR.log
  LOGGED=$(stat -c %s "$SERVER_LOG" 2>/dev/null || echo 0)
}

# Why the server ended since then, in its own words with their detail; lines of clients and of the receiver of log don't count.
last_words() {
  local said
  said=$(tail -c "+$((LOGGED + 1))" "$SERVER_LOG" 2>/dev/null | awk '
    /\] (FATAL|PANIC):/ && !/walreceiver|WAL stream|primary server|administrator command|starting up|shutting down/ {
      sub(/^.*\] /, ""); said = $0; detail = 1; next }
    detail && /\] DETAIL:/ { sub(/^.*\] DETAIL: +/, ""); said = said ": " $0 }
    { detail = 0 }
    END { print said }') || true
  printf '%s\n' "${said:-see $SERVER_LOG}"
}

start_server() {
  [[ ! -e $(records)/rewinding ]] ||
    refuse "$DATA on $SELF is half rewound; make $PEER production, then follow.sh finishes the rewind"
  [[ ! -e $(records)/down ]] ||
    refuse "$SELF is down ($(value_of "$(records)/down" why)); make $PEER production, then follow.sh takes $SELF in"
  if ! is_running; then
    log "starting PostgreSQL on $SELF"
    note_log
    becomes 60 start_once || timed_out "PostgreSQL on $SELF does not start: $(last_words)"
  fi
  know_role
}

stop_server() {
  is_running || return 0
  log "stopping PostgreSQL on $SELF"
  # systemd kills a unit that is stopped while it starts, so its start ends first.
  timeout 60 systemctl start "$UNIT" || true
  timeout 120 systemctl stop "$UNIT" || timed_out "$UNIT does not stop"
}

reload_server() { as_postgres "$PG_BIN/pg_ctl" -D "$DATA" -s reload >&2; }

# No commit waits for the peer from now on. A stopped server reads it at its next start.
commit_alone() {
  [[ -e $COMMITS ]] || return 0
  rm -f "$COMMITS"
  ! is_running || reload_server
}

# From now on every start of the server is read-only, also after a power cut.
as_standby() {
  rm -f "$COMMITS"
  [[ ! -e $DATA/standby.signal && -e $DATA/PG_VERSION ]] || return 0
  { install -o postgres -g postgres -m 0600 /dev/null "$DATA/standby.signal" && sync "$DATA/standby.signal" "$DATA"; } ||
    timed_out "$DATA/standby.signal on $SELF can't be written"
}

control_data() { LC_ALL=C "$PG_BIN/pg_controldata" "$DATA" | sed -n "s/^$1: *//p"; }

require_own_cluster() {
  local recorded found
  recorded=$(value_of "$(records)/cluster" system_id)
  [[ -n $recorded ]] || refuse "$DATA on $SELF was not created for pair $PAIR; move it away, or name another machine"
  found=$(control_data 'Database system identifier')
  [[ $recorded == "$found" ]] || refuse "$DATA on $SELF has system identifier ${found:-(none)}; the database of pair $PAIR has $recorded. \
Keep it: mv -T $DATA $DATA.other; then $SELF gets a copy of $PEER: npx pulumi up --replace '**::$PAIR-switch-id'"
}

# Sets `unusable`: why no server can start with the data of this machine; empty when it is the pair's and whole.
require_own_or_unusable() {
  local owner
  unusable=''
  is_running || unusable=$(python3 "$SCRIPTS/pair/usable.py" "$PAIR")
  [[ -n $unusable && -n $(value_of "$(records)/cluster" system_id) ]] || require_own_cluster
  owner=$(stat -c %U "$DATA" 2>/dev/null || echo postgres)
  [[ $owner == postgres ]] || refuse "$DATA on $SELF belongs to $owner, not to postgres. If it is the pair's: chown -R postgres: $DATA; then $(start_again)"
}

holds_address() { [[ -n $(ip -o address show to "$SERVICE_ADDRESS/32") ]]; }

# The interface for the service address: the configured one, or with `auto` the one that has this machine's own address.
service_interface() {
  [[ $INTERFACE == auto ]] || { printf '%s\n' "$INTERFACE" && return; }
  ip -o address show to "$SELF_ADDRESS/32" | sed -n '1s/^[0-9]*: *\([^ @]*\).*/\1/p'
}
