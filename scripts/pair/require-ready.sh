#!/usr/bin/env bash
# Require that this machine is ready to become production.
# Usage: require-ready.sh PAIR MAX-LAG-MIB
#
# Ready: it streams from its peer and is at most MAX-LAG-MIB behind. Also ready: it already
# accepts writes; or neither machine accepts writes (a switch stopped half-way), and its
# server answers read-only.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/pair/lib-carried.sh
. "$here/lib-carried.sh"
# shellcheck source=scripts/pair/lib-cluster-copy.sh
. "$here/lib-cluster-copy.sh"
# shellcheck source=scripts/pair/lib-replay.sh
. "$here/lib-replay.sh"
# shellcheck source=scripts/pair/lib-follow.sh
. "$here/lib-follow.sh"

is_near() {
  [[ $(sql "select pg_wal_lsn_diff(latest_end_lsn, pg_last_wal_replay_lsn()) <= $1::bigint * 1024 * 1024
    from pg_stat_wal_receiver") == t ]]
}

replays() { look_at_replay && [[ -z $kind ]]; }

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 2 && $2 =~ ^[0-9]+$ ]] || misuse "require-ready.sh takes PAIR MAX-LAG-MIB, got: $*"
  local role answer kind why
  load_pair "$1"
  stop_copies
  require_own_or_unusable
  know_role
  if [[ $role == writer ]]; then
    no_standby
    receipt "$SELF already accepts writes"
    return
  fi
  answer=$(python3 "$here/ask_peer.py" "$PAIR" postgres in_recovery) || timed_out "$PEER does not answer"
  case ${answer/$'\n'/ } in
    'running false')
      follow_peer
      becomes 10 replays || refuse "$SELF: $why"
      wait_until "$SELF is within $2 MiB of $PEER" 300 is_near "$2"
      receipt "$SELF streams from $PEER, at most $2 MiB behind"
      ;;
    'running true' | stopped)
      as_standby
      start_server
      receipt "$SELF answers read-only; $PEER rejects writes too"
      ;;
    *) timed_out "PostgreSQL on $PEER runs but does not answer whether it accepts writes" ;;
  esac
}

{
  main "$@"
  exit
}
