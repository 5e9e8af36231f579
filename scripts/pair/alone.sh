#!/usr/bin/env bash
# Make this machine the one that serves, without the other one.
# Usage: alone.sh PAIR RECEIPT
#
# RECEIPT is of the step that fenced the other, and its tail names this epoch; `none` without one.
# Asks for the other over every path; refuses (77) when anything of it answers, unless
# there is a receipt and it says itself that it accepts no write. Then promotes.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/pair/lib-carried.sh
. "$here/lib-carried.sh"
# shellcheck source=scripts/pair/lib-address.sh
. "$here/lib-address.sh"
# shellcheck source=scripts/pair/lib-alone.sh
. "$here/lib-alone.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 2)) || misuse "alone.sh takes PAIR RECEIPT, got: $*"
  local role did='accepts writes already' link='' epoch
  load_pair "$1"
  epoch=$(value_of "$(records)/claim" epoch)
  [[ $SERVICE_ADDRESS == none ]] || link=$(service_interface)
  stop_copies
  require_own_cluster
  know_role
  if [[ $role != writer ]]; then
    # Before it is asked for: a machine that boots now finds this, and waits.
    serving_soon
    (require_gone "$2") || { did=$? && not_serving && exit "$did"; }
    rm -f "$(records)/down"
    [[ $role == standby ]] || { as_standby && start_server; }
    promote_alone
  elif [[ $SERVICE_ADDRESS != none ]] && ! holds_address; then
    # Promoted by a hand, perhaps, beside a production that lives.
    require_gone "$2"
  fi
  rm -f "$DATA/standby.signal"
  commit_alone
  serving_from_now
  require_claim
  [[ -z $link ]] || take_address "$link"
  printf 'epoch=%s\npeer=%s\n' "$epoch" "$PEER" | write_file "$(records)/alone"
  drop_slots
  rm -f "$(records)/fence"
  [[ -z $link ]] || announce_address "$link"
  receipt "$SELF $did${link:+, holds $SERVICE_ADDRESS}, without $PEER"
}

{
  main "$@"
  exit
}
