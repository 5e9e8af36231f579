# Sourced by the scripts of a pair: its file on this machine, its server, its address.
# shellcheck shell=bash

readonly PG_BIN=/usr/lib/postgresql/15/bin
# shellcheck disable=SC2034
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
  COMMITS=/etc/postgresql/15/$PAIR/conf.d/commits.conf
  STILL=/etc/postgresql/15/$PAIR/conf.d/stands-still.conf
  export PGPASSFILE=/etc/$PAIR/pgpass PGCONNECT_TIMEOUT=5
  cd /
}

as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"; }

# Before statements that hold a password: the server's log shall not.
# shellcheck disable=SC2034
readonly QUIETLY="set log_statement = none; set log_min_error_statement = panic;"

# One answer of this machine's own server, over its socket; statements come on stdin, never on a command line.
sql() { as_postgres "$PG_BIN/psql" -XAtq -v ON_ERROR_STOP=1 -d "${2:-postgres}" -p "$PORT" <<<"$1"; }

# Where the peer's server is, for programs that dial it; the password is in a file of their user's own.
peer_server() { printf 'host=%s port=%s user=changeover dbname=postgres application_name=%s' "$PEER_ADDRESS" "$PORT" "$SELF"; }
peer_sql() { as_postgres "$PG_BIN/psql" -XAtq -v ON_ERROR_STOP=1 -d "$(peer_server)" <<<"$1"; }

# Names of slots have no hyphens, names of hosts no underscores.
slot_of() { printf '%s\n' "${1//-/_}"; }

# Have the peer keep what this machine has not read yet; safe to repeat.
keep_slot() {
  peer_sql "select pg_drop_replication_slot(slot_name) from pg_replication_slots
      where slot_name = '$(slot_of "$SELF")' and not active and wal_status = 'lost';
    select pg_create_physical_replication_slot('$(slot_of "$SELF")', true)
    where not exists (select from pg_replication_slots where slot_name = '$(slot_of "$SELF")')" >/dev/null
}

# Whether COMMAND… comes true within SECONDS.
becomes() {
  local deadline=$(($(monotonic_ms) + $1 * 1000))
  shift
  until "$@"; do
    (($(monotonic_ms) < deadline)) || return 1
    pause 0.01
  done
}

# Its process, by what it has open: a number in an old file may be another's by now.
server_pid() {
  local pid=''
  { read -r pid <"$DATA/postmaster.pid"; } 2>/dev/null || true
  [[ -n $pid && /proc/$pid/cwd -ef $DATA ]] && printf '%s\n' "$pid"
}

is_running() { server_pid >/dev/null; }

# What the server is now, in `role`: stopped, writer, standby; silent while it runs and says nothing.
look_at_role() {
  role=stopped
  is_running || return 0
  case $(sql 'select pg_is_in_recovery()' 2>/dev/null) in
    f) role=writer ;;
    t) role=standby ;;
    *) role=silent ;;
  esac
}
says_its_role() { look_at_role && [[ $role != silent ]]; }
# A server that says nothing may be accepting writes: nobody goes on without its word.
know_role() { wait_until "PostgreSQL on $SELF runs and says whether it accepts writes" 60 says_its_role; }

# Whether the peer sends to this machine: `streaming`, or also `catchup`, which is on its way there.
peer_sends() {
  [[ $(peer_sql "select count(*) from pg_stat_replication where application_name = '$SELF' and state in ($1)") == 1 ]]
}

# Debian's start returns seconds after the server is there; and one that a stop overtook fails, with all who joined it.
start_once() {
  systemctl start --no-block "$UNIT"
  becomes 3 is_running
}

start_server() {
  [[ ! -e $(records)/rewinding ]] ||
    refuse "$DATA on $SELF is half rewound; make $PEER production, and follow.sh goes on with it"
  [[ ! -e $(records)/down ]] ||
    refuse "$SELF is down ($(value_of "$(records)/down" why)); make $PEER production, and follow.sh takes it in"
  if ! is_running; then
    log "starting PostgreSQL on $SELF"
    wait_until "PostgreSQL on $SELF runs (see /var/log/postgresql/postgresql-15-$PAIR.log)" 60 start_once
  fi
  know_role
}

stop_server() {
  is_running || return 0
  log "stopping PostgreSQL on $SELF"
  # A unit that is still being started would be killed in another way.
  timeout 60 systemctl start "$UNIT" || true
  timeout 120 systemctl stop "$UNIT" || timed_out "$UNIT does not stop"
}

reload_server() { as_postgres "$PG_BIN/pg_ctl" -D "$DATA" -s reload >&2; }

# No commit waits for the peer from now on. On a server that is to stop only its next start need know.
commit_alone() {
  [[ -e $COMMITS ]] || return 0
  rm -f "$COMMITS"
  ! is_running || reload_server
}

# Whatever starts the server from now on, it comes up read-only; also after a power cut.
as_standby() {
  rm -f "$COMMITS"
  [[ ! -e $DATA/standby.signal ]] || return 0
  install -o postgres -g postgres -m 0600 /dev/null "$DATA/standby.signal"
  sync "$DATA/standby.signal" "$DATA"
}

control_data() { LC_ALL=C "$PG_BIN/pg_controldata" "$DATA" | sed -n "s/^$1: *//p"; }

require_own_cluster() {
  local recorded found
  recorded=$(value_of "$(records)/cluster" system_id)
  [[ -n $recorded ]] || refuse "$DATA on $SELF was not made for pair $PAIR; move it away, or name another machine"
  found=$(control_data 'Database system identifier')
  [[ $recorded == "$found" ]] || refuse "$DATA on $SELF is database ${found:-(none)}, the pair's is $recorded"
}

holds_address() { [[ -n $(ip -o address show to "$SERVICE_ADDRESS/32") ]]; }

# The machine's interface for the service address: named, or the one that carries its own address.
service_interface() {
  [[ $INTERFACE == auto ]] || { printf '%s\n' "$INTERFACE" && return; }
  ip -o address show to "$SELF_ADDRESS/32" | sed -n '1s/^[0-9]*: *\([^ @]*\).*/\1/p'
}
