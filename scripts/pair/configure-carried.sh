#!/usr/bin/env bash
# Offer this machine's files to its peer, set the timer of its copies, start its services.
# Usage: configure-carried.sh PAIR
#
# Each port has one read-only rsync daemon: one for all directories, one for each index. It
# admits only the peer's address with the pair's secret.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/pair/lib-carried.sh
. "$here/lib-carried.sh"
# shellcheck source=scripts/pair/lib-offer.sh
. "$here/lib-offer.sh"

# The log of the pair; none in a folder that another account could lead elsewhere.
make_log() {
  local folder=/var/log/$PAIR
  python3 -I "$SCRIPTS/handles.py" "$folder/$PAIR-general.log" || { log "no log in $folder on $SELF: make root its owner" && return; }
  install -d -m 0755 "$folder"
  touch "$folder/$PAIR-general.log"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 1)) || misuse "configure-carried.sh takes PAIR, got: $*"
  local role ports at
  load_pair "$1"
  install -d -m 0755 "$(records)/copies"
  make_log
  own_units
  offer_all
  set_timer
  know_role
  case $role in
    writer) if [[ $SERVICE_ADDRESS == none ]] || holds_address; then run_role production; fi ;;
    standby) run_role standby ;;
  esac
  ports=$(offered_ports | tr '\n' ' ') && at=$(carried copy_at=)
  receipt "$SELF offers its files on ports ${ports:-(none) }and copies at times ${at:-(none)}"
}

{
  main "$@"
  exit
}
