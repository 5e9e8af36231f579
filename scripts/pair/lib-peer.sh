# Sourced by lib.sh: connections to the server of the peer.
# shellcheck shell=bash

# The password is sent to nobody: each side proves that it knows it, bound to this encrypted connection, so that nobody in
# between can use the proof. It needs no certificates; those in the home of an account would only be in the way.
readonly PROVED='sslmode=require channel_binding=require sslcert=/none sslrootcert=/none'

# The connection string of the peer's server; the password is in the file PGPASSFILE.
peer_server() { printf 'host=%s port=%s user=changeover dbname=postgres application_name=%s %s' "$PEER_ADDRESS" "$PORT" "$SELF" "$PROVED"; }
peer_sql() { as_postgres "$PG_BIN/psql" -XAtq -v ON_ERROR_STOP=1 -d "$(peer_server)" <<<"$1"; }

# Patterns for what the peer says: its answers are data, and get into arithmetic, statements and paths only by these.
# shellcheck disable=SC2034
readonly A_NUMBER='0|[1-9][0-9]{0,17}' A_POSITION='[0-9A-F]{1,8}/[0-9A-F]{1,8}'

# peer_says PATTERN STATEMENT: the answer of the peer's server; ends with 1 when the answer is not PATTERN as a whole.
peer_says() {
  local said
  said=$(peer_sql "$2") || return 1
  [[ $said =~ ^($1)$ ]] || { log "PostgreSQL on $PEER gives an answer that is not one: ${said@Q}" && return 1; }
  printf '%s\n' "$said"
}

# The name of a host's slot. Slots have no hyphens, hosts no underscores.
slot_of() { printf '%s\n' "${1//-/_}"; }

# Have the peer keep the log that this machine has not read yet; safe to repeat.
keep_slot() {
  peer_sql "select pg_drop_replication_slot(slot_name) from pg_replication_slots
      where slot_name = '$(slot_of "$SELF")' and not active and wal_status = 'lost';
    select pg_create_physical_replication_slot('$(slot_of "$SELF")', true)
    where not exists (select from pg_replication_slots where slot_name = '$(slot_of "$SELF")')" >/dev/null
}

# peer_sends STATES: whether the peer sends log to this machine in one of these states, such as 'streaming', 'catchup'.
peer_sends() {
  [[ $(peer_sql "select count(*) from pg_stat_replication where application_name = '$SELF' and state in ($1)") == 1 ]]
}

require_writing_peer() {
  local said
  said=$(peer_sql 'select pg_is_in_recovery()' 2>&1) || true
  case $said in
    f) ;;
    t) refuse "$PEER rejects writes, so $SELF cannot follow it; $(start_again)" ;;
    *'authentication failed'*)
      refuse "$PEER refuses the password of $SELF, which may be of an older disk image; write it again: \
npx pulumi up --replace '**::$PAIR-provision-id' --replace '**::$PAIR-switch-id'"
      ;;
    *) timed_out "PostgreSQL on $PEER does not answer: ${said##*$'\n'}" ;;
  esac
}
