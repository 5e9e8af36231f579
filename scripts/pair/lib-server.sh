# Sourced by lib.sh: the pair's server on this machine, its role, its start and its end.
# shellcheck shell=bash

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

# Debian's start command returns seconds after the server runs, and fails when a stop overtakes it: do not wait for it.
start_once() {
  systemctl start --no-block "$UNIT"
  becomes 3 is_running
}

# A disk that was mounted there is root's at first; root gives nothing away in a folder of another account.
make_data_parent() {
  # One that root has made becomes postgres's: what that account could put in its place is given to nobody, for a link is not followed.
  [[ $(stat -c '%F %U' "${DATA%/*}" 2>/dev/null) != 'directory root' ]] || chown -h postgres: "${DATA%/*}"
  as_postgres install -d -m 0700 "${DATA%/*}" || refuse "${DATA%/*} on $SELF is not of postgres; if it is the pair's: chown postgres: ${DATA%/*}"
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
  said=$(as_postgres tail -c "+$((LOGGED + 1))" "$SERVER_LOG" 2>/dev/null | awk '
    /\] (FATAL|PANIC):/ && !/walreceiver|WAL stream|primary server|administrator command|starting up|shutting down/ {
      sub(/^.*\] /, ""); said = $0; detail = 1; next }
    detail && /\] DETAIL:/ { sub(/^.*\] DETAIL: +/, ""); said = said ": " $0 }
    { detail = 0 }
    END { print said }') || true
  printf '%s\n' "${said:-see $SERVER_LOG}"
}

# Whether this machine stepped down: its data may have parted from the pair's. The mark stands for a record that could not be written.
is_down() { [[ -e $(records)/down || -e $DATA/changeover.down ]]; }

# The pair takes this machine in. The mark goes first: the watch makes a record of a mark without one.
not_down() { as_postgres rm -f "$DATA/changeover.down" && rm -f "$(records)/down"; }

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
