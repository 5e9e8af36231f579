#!/usr/bin/env bash
# Configure this host as a node of a cache: the unit of its memcached, and the clients that it accepts.
# Usage: configure-node.sh COMPONENT CACHE key=value…
#
# Keys: address port memory_mib connections clients (addresses, with commas). A stopped memcached
# is started. A running one is not restarted; with other settings the receipt's tail has
# verdict=bad. Refuses (77) an address that this host does not have, and a memcached that listens
# on other addresses.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/memcached/lib.sh
. "$here/lib.sh"

write_node() {
  local word key
  local -A settings=([clients]='')
  for word in "$@"; do settings[${word%%=*}]=${word#*=}; done
  for key in address port memory_mib connections; do [[ -n ${settings[$key]:-} ]] || misuse "configure-node.sh needs $key=…"; done
  [[ -n $(ip -o address show to "${settings[address]}/32") ]] ||
    refuse "$HOSTNAME does not have the address ${settings[address]}, which its clients use; see: ip address"
  for key in address port memory_mib connections clients; do printf '%s=%s\n' "${key^^}" "${settings[$key]}"; done |
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
  (($# >= 3)) || misuse "configure-node.sh takes COMPONENT CACHE key=value…, got: $*"
  know_cache "$1" "$2"
  write_node "${@:3}"
  load_node
  write_rules
  write_unit
  # Releases before this one kept the rules here.
  rm -f "$CACHES/$CACHE.nft"
  systemctl enable --quiet "$UNIT"
  if [[ -z $(running_command) ]]; then
    log "starting memcached for $CACHE"
    systemctl restart "$UNIT"
  elif ! is_as_configured; then
    why="memcached runs with other settings ($(running_command)) and needs a restart"
    tail_add verdict bad why "$why"
    receipt "$HOSTNAME is configured, bad: $why"
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
