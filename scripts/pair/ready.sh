#!/usr/bin/env bash
# Have this machine ready to become the one that accepts writes.
# Usage: ready.sh PAIR MAX-LAG-MIB
#
# It streams from its peer and is near; or neither accepts writes (a switch stopped
# half-way) and it answers read-only; or it accepts the writes already.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/pair/lib-carried.sh
. "$here/lib-carried.sh"
# shellcheck source=scripts/pair/lib-copy.sh
. "$here/lib-copy.sh"
# shellcheck source=scripts/pair/lib-follow.sh
. "$here/lib-follow.sh"

is_near() {
  [[ $(sql "select pg_wal_lsn_diff(latest_end_lsn, pg_last_wal_replay_lsn()) <= $1::bigint * 1024 * 1024
    from pg_stat_wal_receiver") == t ]]
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 2 && $2 =~ ^[0-9]+$ ]] || misuse "ready.sh takes PAIR MAX-LAG-MIB, got: $*"
  local role answer
  load_pair "$1"
  stop_copies
  require_own_cluster
  know_role
  if [[ $role == writer ]]; then
    rm -f "$DATA/standby.signal"
    receipt "$SELF accepts writes already"
    return
  fi
  answer=$(python3 "$here/ask.py" "$PAIR" postgres in_recovery) || timed_out "$PEER gave no answer"
  case ${answer/$'\n'/ } in
    'running false')
      follow_peer
      wait_until "$SELF is within $2 MiB of $PEER" 300 is_near "$2"
      receipt "$SELF streams from $PEER and is near"
      ;;
    'running true' | stopped)
      as_standby
      start_server
      receipt "$SELF answers read-only; $PEER accepts no writes either"
      ;;
    *) timed_out "PostgreSQL on $PEER runs and does not say whether it accepts writes" ;;
  esac
}

{
  main "$@"
  exit
}
