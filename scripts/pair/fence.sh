#!/usr/bin/env bash
# Make this machine reject writes and release the service address.
# Usage: fence.sh PAIR
#
# The slow part (a checkpoint) runs first, while the server still accepts writes. Then the
# server stops, and starts read-only after 2 s to send its peer the rest of the log. The
# record has the position that new production must reach. A fence never ends by time. A
# fence that fails before its record is written has this machine serve again.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/pair/lib-address.sh
. "$here/lib-address.sh"
# shellcheck source=scripts/pair/lib-fence.sh
. "$here/lib-fence.sh"
# shellcheck source=scripts/pair/lib-carried.sh
. "$here/lib-carried.sh"
# shellcheck source=scripts/pair/lib-cancel-fence.sh
. "$here/lib-cancel-fence.sh"

# A peer that is further behind would lengthen the outage.
readonly near_mib=16

peer_is_near() {
  [[ $(sql "select count(*) from pg_stat_replication where application_name = '$PEER' and state = 'streaming'
    and pg_wal_lsn_diff(pg_current_wal_lsn(), flush_lsn) < $near_mib * 1024 * 1024") == 1 ]]
}

# Services that write files stop at the same time as the server; main waits for both.
stop_services() {
  stop_production_services &
  services=$!
}

fence_writer() {
  local pid
  log "checkpoint on $SELF, which still accepts writes"
  sql 'checkpoint'
  wait_until "$PEER streams from $SELF and is less than $near_mib MiB behind" 20 peer_is_near
  sql 'checkpoint'
  pid=$(server_pid) || timed_out "PostgreSQL on $SELF ended by itself"
  require_claim
  log "fencing $SELF"
  [[ $(value_of "$(records)/fence" id) == "$CHANGEOVER_ID" ]] || trap or_serve_again EXIT
  as_standby
  refuse_clients
  stop_services
  stop_at_once "$pid"
  role=stopped
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 1)) || misuse "fence.sh takes PAIR, got: $*"
  local role position services was
  load_pair "$1"
  stop_copies
  require_own_or_unusable
  know_role
  was=$role
  [[ $(value_of "$(records)/fence" id) != "$CHANGEOVER_ID" ]] || was=$(value_of "$(records)/fence" was)
  if [[ $role == writer ]]; then
    fence_writer
  else
    log "$SELF already rejects writes: its server is ${role/standby/a standby}"
    require_claim
    as_standby
    refuse_clients
    stop_services
    [[ $role != stopped || -e $(records)/rewinding ]] || is_down || return_read_only
  fi
  give_up_address
  find_position "$role"
  wait "$services" || timed_out "some services of production do not stop on $SELF"
  printf 'id=%s\nepoch=%s\nposition=%s\nwas=%s\nsince=%(%FT%T%z)T\n' "$CHANGEOVER_ID" "$(value_of "$(records)/claim" epoch)" \
    "$position" "$was" -1 | write_file "$(records)/fence" || timed_out "the fence of $SELF can't be recorded"
  trap - EXIT
  wait
  receipt "$SELF is fenced at $position"
}

{
  main "$@"
  exit
}
