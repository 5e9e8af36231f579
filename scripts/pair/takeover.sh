#!/usr/bin/env bash
# Make this machine production: it accepts writes and holds the service address.
# Usage: takeover.sh PAIR [files]
#
# Refuses (77) unless the peer answers that this same transition fenced it. With `files`
# copies the files that changed since the last copy, and verifies them. Then promotes. What
# fails before the promotion is ordered has the peer serve again.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/pair/lib-address.sh
. "$here/lib-address.sh"
# shellcheck source=scripts/pair/lib-replay.sh
. "$here/lib-replay.sh"
# shellcheck source=scripts/pair/lib-takeover.sh
. "$here/lib-takeover.sh"
# shellcheck source=scripts/pair/lib-carried.sh
. "$here/lib-carried.sh"
# shellcheck source=scripts/pair/lib-cancel-fence.sh
. "$here/lib-cancel-fence.sh"

# The copy runs beside the checks. When it fails, it has already cancelled the fence of the peer.
wait_for_files() {
  [[ -z $copying ]] || wait "$copying" || exit "$?"
}

# Sets `did`. Until `serving_soon` a failure has the peer serve again; after it a promotion may be ordered.
promote() {
  local reply
  wait_for_replay
  wait_for_files
  require_claim
  serving_soon
  trap - EXIT
  log "point of no return: promoting $SELF"
  if say 40 "do \$\$ begin perform pg_promote(false);
    for i in 1..6000 loop exit when not pg_is_in_recovery(); perform pg_sleep(0.005); end loop; end \$\$" \
    "select format('promoted at %s timeline %s', pg_current_wal_lsn(),
      ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int)"; then did=$reply; else promoted_or_back; fi
}

# Users are served already, so a failure only says that the peer can't follow yet.
keep_log_for_peer() {
  local slot make reply
  slot=$(slot_of "$PEER")
  make="select count(pg_create_physical_replication_slot('$slot', true))
    where not exists (select from pg_replication_slots where slot_name = '$slot')"
  say 20 "$make" || sql "$make" >/dev/null ||
    log "$SELF can't keep log for $PEER, see above; $PEER follows when max_replication_slots has room for its slot"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 1 || ($# -eq 2 && $2 == files) ]] || misuse "takeover.sh takes PAIR [files], got: $*"
  local role position was did='already accepts writes' link='' copying=''
  load_pair "$1"
  trap or_give_back EXIT
  [[ $SERVICE_ADDRESS == none ]] || link=$(service_interface)
  ask_others
  require_own_cluster
  know_role
  [[ $role == stopped ]] || open_session
  require_fenced_peer
  [[ $# -eq 1 || $role == writer ]] || {
    bash "$here/copy-files.sh" "$PAIR" last >&2 &
    copying=$!
  }
  [[ $role != stopped ]] || { as_standby && start_server && open_session; }
  require_free_address
  if [[ $role == writer ]]; then require_all_writes && no_standby; else promote; fi
  trap - EXIT
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
