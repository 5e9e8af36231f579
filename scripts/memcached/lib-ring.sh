# Sourced by the scripts that change a client's ring.
# shellcheck shell=bash

# For monitoring and operators, at a path that stays the same in every release.
readonly tools=/usr/local/lib/changeover/caches

install_tools() {
  local file
  for file in memcached/{node,ring,ring-check,misses} rules; do write_file "$tools/${file##*/}.py" 0755 <"$SCRIPTS/$file.py"; done
}

reload_units() {
  local unit
  local -a units
  IFS=, read -ra units <<<"${1/#-/}"
  for unit in "${units[@]}"; do
    systemctl is-active --quiet "$unit" || continue
    log "reloading $unit"
    timeout 30 systemctl reload "$unit" || timed_out "$unit did not reload within 30 s; see: journalctl -u $unit"
  done
}

hash_of() {
  local line
  line=$(sha256sum <<<"$1")
  printf '%s\n' "${line%% *}"
}

# set_ring TEXT CLIENTS UNITS: the file next to the ring has its hash, and the clients with the same ring.
set_ring() {
  write_file "$CACHES/$CACHE.ring.sha256" <<<"$(hash_of "$1") $2"
  [[ ! -e $CACHES/$CACHE.ring || $(<"$CACHES/$CACHE.ring") != "$1" ]] || return 0
  require_claim
  log "writing the ring of $CACHE on $HOSTNAME: ${1//$'\n'/ }"
  write_file "$CACHES/$CACHE.ring" <<<"$1"
  reload_units "$3"
}

clients_of_ring() { [[ ! -e $CACHES/$CACHE.ring.sha256 ]] || sed 's/^[^ ]* *//' "$CACHES/$CACHE.ring.sha256"; }

# The ring without a node; empty when the ring has no other node, or does not have this node.
ring_without() {
  ! grep -qsxF "$1" "$CACHES/$CACHE.ring" || grep -vxF "$1" "$CACHES/$CACHE.ring" || true
}

# The ring before a node was removed for a while; empty when the node was not removed.
ring_before() {
  [[ $(head -n 1 "$CACHES/$CACHE.aside" 2>/dev/null) != "$1" ]] || tail -n +2 "$CACHES/$CACHE.aside"
}
