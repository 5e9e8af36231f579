# Sourced by the scripts of a pair: its file on this machine, its server, its service address. The peer is the other
# machine of the pair.
# shellcheck shell=bash

PG_MAJOR=$(<"${BASH_SOURCE[0]%/*}/postgres-version")
readonly PG_MAJOR PG_BIN=/usr/lib/postgresql/$PG_MAJOR/bin
# shellcheck source=scripts/pair/lib-peer.sh
. "${BASH_SOURCE[0]%/*}/lib-peer.sh"
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
  export PGPASSFILE=/etc/$PAIR/pgpass PGCONNECT_TIMEOUT=5
  cd /
}

as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"; }

# Before statements that contain a password, to keep it out of the server's log.
# shellcheck disable=SC2034
readonly QUIETLY="set log_statement = none; set log_min_error_statement = panic;"

# write_as_postgres FILE [MODE]: like write_file, in a folder of the account postgres, which could exchange any part of the path:
# as that account, so that nothing is written or given away that is not its own already.
write_as_postgres() {
  # shellcheck disable=SC2016
  as_postgres env CHANGEOVER_LIB="$SCRIPTS/lib.sh" bash -c '. "$CHANGEOVER_LIB"; write_file "$@"' - "$@"
}

# sql STATEMENT [DATABASE]: ask this machine's server over its socket. Statements come on stdin, hidden from process lists.
sql() { as_postgres "$PG_BIN/psql" -XAtq -v ON_ERROR_STOP=1 -d "${2:-postgres}" -p "$PORT" <<<"$1"; }

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
  case $(sql 'select pg_is_in_recovery()' 2>/dev/null) in
    f) role=writer ;;
    t) role=standby ;;
    *) role=silent ;;
  esac
}
says_its_role() { look_at_role && [[ $role != silent ]]; }
# A server that does not answer may accept writes, so no script continues without its answer.
know_role() { wait_until "PostgreSQL on $SELF answers whether it accepts writes" 60 says_its_role; }

# Debian's start command returns seconds after the server runs, and fails when a stop overtakes it: do not wait for it.
start_once() {
  systemctl start --no-block "$UNIT"
  becomes 3 is_running
}

# Whether this machine stepped down: its data may have parted from the pair's. The mark stands for a record that could not be written.
is_down() { [[ -e $(records)/down || -e $DATA/changeover.down ]]; }

# Whether the records came here with a copy of another machine's disk.
is_copy() {
  local made_on now=''
  made_on=$(value_of "$(records)/machine" id)
  { read -r now </etc/machine-id; } 2>/dev/null || true
  [[ -n $made_on && -n $now && $made_on != "$now" ]]
}

start_server() {
  [[ ! -e $(records)/rewinding ]] ||
    refuse "$DATA on $SELF is half rewound; make $PEER production, then follow.sh finishes the rewind"
  ! is_down || refuse "$SELF is down ($(value_of "$(records)/down" why)); make $PEER production, then follow.sh takes $SELF in"
  ! is_copy ||
    refuse "the disk of $SELF is a copy of another machine's: /etc/machine-id is not the one in $(records)/machine. If this is the machine of the pair: npx pulumi up --replace '**::$PAIR-provision-id'"
  if ! is_running; then
    log "starting PostgreSQL on $SELF"
    wait_until "PostgreSQL on $SELF runs (see /var/log/postgresql/postgresql-$PG_MAJOR-$PAIR.log)" 60 start_once
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
  [[ ! -e $DATA/standby.signal ]] || return 0
  # shellcheck disable=SC2016
  as_postgres sh -c 'umask 077 && : >>"$1/standby.signal" && sync "$1/standby.signal" "$1"' - "$DATA"
}

control_data() { LC_ALL=C "$PG_BIN/pg_controldata" "$DATA" | sed -n "s/^$1: *//p"; }

require_own_cluster() {
  local recorded found
  recorded=$(value_of "$(records)/cluster" system_id)
  [[ -n $recorded ]] || refuse "$DATA on $SELF was not created for pair $PAIR; move it away, or name another machine"
  found=$(control_data 'Database system identifier')
  [[ $recorded == "$found" ]] || refuse "$DATA on $SELF has system identifier ${found:-(none)}; the database of pair $PAIR has $recorded"
}

holds_address() { [[ -n $(ip -o address show to "$SERVICE_ADDRESS/32") ]]; }

# The interface for the service address: the configured one, or with `auto` the one that has this machine's own address.
service_interface() {
  [[ $INTERFACE == auto ]] || { printf '%s\n' "$INTERFACE" && return; }
  ip -o address show to "$SELF_ADDRESS/32" | sed -n '1s/^[0-9]*: *\([^ @]*\).*/\1/p'
}
