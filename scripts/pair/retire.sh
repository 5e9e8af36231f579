#!/usr/bin/env bash
# Take this host out of its pairs.
# Usage: retire.sh HOST STACK look|leave
#
# `look` prints each pair for which this host accepts writes or holds the service address.
# `leave` stops the server and the units of each pair, removes units, command, scripts, secrets
# and nft table, and prints where the data stays. It refuses (77) a host that serves by now.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/pair/lib-carried.sh
. "$here/lib-carried.sh"
# shellcheck source=scripts/lib-retire.sh
. "$here/../lib-retire.sh"
# shellcheck source=scripts/pair/lib-retire.sh
. "$here/lib-retire.sh"

look() {
  local link role=stopped
  [[ -n $DATA ]] || return 0
  know_role
  [[ $role != writer ]] ||
    printf '%s\n' "accepts writes for $PAIR: put the pair back into the file and make $PEER production; if the pair is not needed: systemctl stop $UNIT"
  [[ $SERVICE_ADDRESS == none ]] || ! holds_address || {
    link=$(ip -o address show to "$SERVICE_ADDRESS/32")
    [[ $link =~ ^[0-9]+:\ *([^ @]+) ]]
    printf '%s\n' "holds $SERVICE_ADDRESS of $PAIR: ip address delete $SERVICE_ADDRESS/32 dev ${BASH_REMATCH[1]}"
  }
}

leave() {
  local -a services
  local reasons
  log "taking $HOST out of pair $PAIR"
  exec 9>"$(records)/lock"
  flock -w 60 9 || timed_out "the lock of $PAIR is held by $(cat "$(records)/holder" 2>/dev/null)"
  # The host may serve by now, though it did not at its look.
  reasons=$(look)
  [[ -z $reasons ]] || refuse "$HOST ${reasons//$'\n'/; }"
  remove_units
  if [[ -n $DATA ]]; then
    read -ra services <<<"$(services_on '')"
    stop_units "${services[@]}"
    stop_server
    write_file "/etc/$PAIR/$PAIR.status" <<<down
    rm -f "/etc/$PAIR"/{secret,secret.before,pgpass,pgpass.new,rsync.pass,rsync.secrets,peer.nft}
    [[ ! -e $DATA ]] || printf '%s\n' "$DATA"
  fi
  remove_tables
  rm -rf "/usr/local/sbin/changeover-$PAIR" "/usr/local/lib/changeover/$PAIR"
  mark_retired
  exec 9>&-
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  know_order "$@"
  each_pair "$3"
}

{
  main "$@"
  exit
}
