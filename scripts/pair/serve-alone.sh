#!/usr/bin/env bash
# Make this machine production while its peer is lost.
# Usage: serve-alone.sh PAIR RECEIPT
#
# RECEIPT is the receipt of the step that cut the peer off; its tail has this epoch.
# `none`: no step cut the peer off. Asks the peer over every path, and refuses (77) when
# one answers. With a receipt the peer may answer that it rejects writes. Then promotes.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/pair/lib-carried.sh
. "$here/lib-carried.sh"
# shellcheck source=scripts/pair/lib-address.sh
. "$here/lib-address.sh"
# shellcheck source=scripts/pair/lib-replay.sh
. "$here/lib-replay.sh"
# shellcheck source=scripts/pair/lib-serve-alone.sh
. "$here/lib-serve-alone.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 2)) || misuse "serve-alone.sh takes PAIR RECEIPT, got: $*"
  local role did='already accepts writes' link='' epoch
  load_pair "$1"
  epoch=$(value_of "$(records)/claim" epoch)
  [[ $SERVICE_ADDRESS == none ]] || link=$(service_interface)
  stop_copies
  require_own_cluster
  know_role
  if [[ $role != writer ]]; then
    # Written before the peer is asked: a peer that boots now reads this record, and waits.
    serving_soon
    (require_gone "$2") || { did=$? && not_serving && exit "$did"; }
    not_down
    [[ $role == standby ]] || { as_standby && start_server; }
    promote_alone
  elif [[ $SERVICE_ADDRESS != none ]] && ! holds_address; then
    # Perhaps a person promoted this server while production is alive.
    require_gone "$2"
  fi
  no_standby
  commit_alone
  serving_from_now
  require_claim
  [[ -z $link ]] || take_address "$link"
  printf 'epoch=%s\npeer=%s\n' "$epoch" "$PEER" | write_file "$(records)/alone"
  drop_slot_of_peer
  rm -f "$(records)/fence"
  [[ -z $link ]] || announce_address "$link"
  receipt "$SELF $did${link:+, holds $SERVICE_ADDRESS}, without $PEER"
}

{
  main "$@"
  exit
}
