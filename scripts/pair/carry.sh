#!/usr/bin/env bash
# Offer what this machine carries to its peer, copy the peer's by a timer, run what its role runs.
# Usage: carry.sh PAIR
#
# One rsync daemon a port: for the directories, and for each index. Read-only, for the
# peer's address and the pair's secret alone.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/pair/lib-carried.sh
. "$here/lib-carried.sh"
# shellcheck source=scripts/pair/lib-offer.sh
. "$here/lib-offer.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 1)) || misuse "carry.sh takes PAIR, got: $*"
  local role
  load_pair "$1"
  install -d -m 0755 "/var/log/$PAIR" "$(records)/copies"
  touch "/var/log/$PAIR/$PAIR-general.log"
  own_units
  offer_all
  set_timer
  know_role
  case $role in
    writer) if [[ $SERVICE_ADDRESS == none ]] || holds_address; then run_role production; fi ;;
    standby) run_role standby ;;
  esac
  receipt "$SELF offers what it carries, on ports $(offered_ports | tr '\n' ' ')and copies $(carried copy_at= | sed 's/^$/nothing/')"
}

{
  main "$@"
  exit
}
