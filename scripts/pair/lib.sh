# Sourced by the scripts of a pair: its file on this machine, its server, its service address. The peer is the other
# machine of the pair.
# shellcheck shell=bash

PG_MAJOR=$(<"${BASH_SOURCE[0]%/*}/postgres-version")
readonly PG_MAJOR PG_BIN=/usr/lib/postgresql/$PG_MAJOR/bin
# Every session of these scripts has these options, whatever limits a server, database or role has for its clients.
SESSION_OPTIONS=$(<"${BASH_SOURCE[0]%/*}/session-options")
readonly SESSION_OPTIONS
# shellcheck source=scripts/pair/lib-peer.sh
. "${BASH_SOURCE[0]%/*}/lib-peer.sh"
# shellcheck source=scripts/pair/lib-server.sh
. "${BASH_SOURCE[0]%/*}/lib-server.sh"
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

# write_as_postgres FILE [MODE]: like write_file, in a folder of the account postgres, which could exchange any part of the path:
# as that account, so that nothing is written or given away that is not its own already.
write_as_postgres() {
  # shellcheck disable=SC2016
  as_postgres env CHANGEOVER_LIB="$SCRIPTS/lib.sh" bash -c '. "$CHANGEOVER_LIB"; write_file "$@"' - "$@"
}

# sql STATEMENT [DATABASE]: ask this machine's server over its socket. Statements come on stdin, hidden from process lists.
# SQL_LIMIT: the seconds after which a server that hangs counts as silent.
sql() { as_postgres ${SQL_LIMIT:+timeout "$SQL_LIMIT"} "$PG_BIN/psql" -XAtq -v ON_ERROR_STOP=1 -d "${2:-postgres}" -p "$PORT" <<<"$1"; }

# becomes SECONDS COMMAND…: whether COMMAND succeeds within SECONDS.
becomes() {
  local deadline=$(($(monotonic_ms) + $1 * 1000))
  shift
  until "$@"; do
    (($(monotonic_ms) < deadline)) || return 1
    pause 0.01
  done
}

# No commit waits for the peer from now on. A stopped server reads it at its next start.
commit_alone() {
  [[ -e $COMMITS ]] || return 0
  as_postgres rm -f "$COMMITS"
  ! is_running || reload_server
}

# From now on every start of the server is read-only, also after a power cut.
as_standby() {
  as_postgres rm -f "$COMMITS"
  [[ ! -e $DATA/standby.signal && -e $DATA/PG_VERSION ]] || return 0
  # shellcheck disable=SC2016
  as_postgres sh -c 'umask 077 && : >>"$1/standby.signal" && sync "$1/standby.signal" "$1"' - "$DATA" ||
    timed_out "$DATA/standby.signal on $SELF can't be written"
}

# The next start of a server that accepts writes is no standby's.
no_standby() { as_postgres rm -f "$DATA/standby.signal"; }

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
