#!/usr/bin/env bash
# Tell this machine that it is a node of a cache: its server's unit, and who may come.
# Usage: configure.sh COMPONENT CACHE key=value…
#
# Keys: address port memory_mib connections clients (addresses, with commas). A server that
# does not run is started; one that runs is not restarted: the receipt's tail says
# verdict=bad when it runs with other settings. Refuses an address that this machine does not have, and a server
# that listens for others.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/memcached/lib.sh
. "$here/lib.sh"

write_node() {
  local word key
  local -A told=([clients]='')
  for word in "$@"; do told[${word%%=*}]=${word#*=}; done
  for key in address port memory_mib connections; do [[ -n ${told[$key]:-} ]] || misuse "configure.sh was not told $key"; done
  [[ -n $(ip -o address show to "${told[address]}/32") ]] ||
    refuse "$HOSTNAME does not have the address ${told[address]}, which its clients are to know; see: ip address"
  for key in address port memory_mib connections clients; do printf '%s=%s\n' "${key^^}" "${told[$key]}"; done |
    write_file "$CACHES/$CACHE.node"
}

write_unit() {
  local text
  text=$(sed "s|@CACHE@|$CACHE|g; s|@COMMAND@|$(wanted_command)|g" "$here/memcached.unit")
  [[ ! -e /etc/systemd/system/$UNIT || $text != "$(</etc/systemd/system/"$UNIT")" ]] || return 0
  log "writing $UNIT"
  write_file "/etc/systemd/system/$UNIT" <<<"$text"
  systemctl daemon-reload
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  local why
  (($# >= 3)) || misuse "configure.sh takes COMPONENT CACHE key=value…, got: $*"
  know_cache "$1" "$2"
  write_node "${@:3}"
  load_node
  write_rules
  write_unit
  systemctl enable --quiet "$UNIT"
  if [[ -z $(running_command) ]]; then
    log "starting memcached for $CACHE"
    systemctl restart "$UNIT"
  elif ! is_as_configured; then
    why="it runs with other settings ($(running_command)), which a restart changes"
    tail_add verdict bad why "$why"
    receipt "$HOSTNAME is told, bad: $why"
    return
  fi
  wait_until "$UNIT answers at $ADDRESS:$PORT (see: journalctl -u $UNIT)" 30 answers
  require_as_configured
  tail_add verdict good
  receipt "$HOSTNAME runs as configured at $ADDRESS:$PORT"
}

{
  main "$@"
  exit
}
