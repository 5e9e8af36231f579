#!/usr/bin/env bash
# Make this machine the one that accepts writes and holds the service address.
# Usage: takeover.sh PAIR [files]
#
# Asks the peer now: refuses (77) unless it is fenced by this same transition. With `files`
# copies what changed since the last copy, and proves it. While anything that the peer
# acknowledged is missing here, has it serve again and ends with 75. Else promotes.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/pair/lib-address.sh
. "$here/lib-address.sh"
# shellcheck source=scripts/pair/lib-takeover.sh
. "$here/lib-takeover.sh"
# shellcheck source=scripts/pair/lib-carried.sh
. "$here/lib-carried.sh"
# shellcheck source=scripts/pair/lib-lift.sh
. "$here/lib-lift.sh"

# Beside all that is asked; what can't be copied has been said by then, and the peer serves again.
wait_for_files() {
  [[ -z $copying ]] || wait "$copying" || exit "$?"
}

# Sets `did`.
promote() {
  local reply
  log "waiting until $SELF has replayed all that $PEER wrote ($position)"
  say 20 "do \$\$ declare until timestamptz := clock_timestamp() + interval '15 s'; begin
    while pg_last_wal_replay_lsn() < '$position' and clock_timestamp() < until loop perform pg_sleep(0.005); end loop;
    end \$\$" "select pg_last_wal_replay_lsn()||case when pg_last_wal_replay_lsn() >= '$position' then ' near' else '' end" ||
    timed_out "PostgreSQL on $SELF gives no answer; nothing was promoted"
  wait_for_files
  [[ $reply == *' near' ]] || lift_peer "$SELF has ${reply:-nothing}, $PEER wrote to $position; nothing was promoted"
  require_claim
  serving_soon
  log "point of no return: promoting $SELF"
  say 40 "do \$\$ begin perform pg_promote(false);
    for i in 1..6000 loop exit when not pg_is_in_recovery(); perform pg_sleep(0.005); end loop; end \$\$" \
    "select format('promoted at %s timeline %s', pg_current_wal_lsn(),
      ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int)" ||
    timed_out "$SELF was told to promote, but does not accept writes yet"
  did=$reply
}

keep_log_for_peer() {
  local reply slot
  slot=$(slot_of "$PEER")
  say 20 "select count(pg_create_physical_replication_slot('$slot', true))
    where not exists (select from pg_replication_slots where slot_name = '$slot')"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 1 || ($# -eq 2 && $2 == files) ]] || misuse "takeover.sh takes PAIR [files], got: $*"
  local role position did='accepts writes already' link='' copying=''
  load_pair "$1"
  [[ $SERVICE_ADDRESS == none ]] || link=$(service_interface)
  ask_others
  require_own_cluster
  know_role
  [[ $role == stopped ]] || open_session
  require_fenced_peer
  [[ $# -eq 1 || $role == writer ]] || {
    bash "$here/copy.sh" "$PAIR" last >&2 &
    copying=$!
  }
  [[ $role != stopped ]] || { as_standby && start_server && open_session; }
  require_free_address
  if [[ $role == writer ]]; then rm -f "$DATA/standby.signal"; else promote; fi
  require_claim
  [[ -z $link ]] || take_address "$link"
  printf 'taken\n' >&6 || true
  keep_log_for_peer
  serving_from_now
  rm -f "$(records)"/{fence,alone}
  [[ -z $link ]] || announce_address "$link"
  receipt "$SELF $did${link:+, holds $SERVICE_ADDRESS}"
}

{
  main "$@"
  exit
}
