# Sourced by the scripts that give a client another ring.
# shellcheck shell=bash

# For monitoring and for people, at a place that no release changes.
readonly tools=/usr/local/lib/changeover/caches

install_tools() {
  local file
  for file in node ring ring-check misses; do write_file "$tools/$file.py" 0755 <"$SCRIPTS/memcached/$file.py"; done
}

reload_units() {
  local unit
  local -a units
  IFS=, read -ra units <<<"${1/#-/}"
  for unit in "${units[@]}"; do
    systemctl is-active --quiet "$unit" || continue
    log "reloading $unit"
    timeout 30 systemctl reload "$unit" || timed_out "$unit does not reload"
  done
}

hash_of() {
  local found
  found=$(sha256sum <<<"$1")
  printf '%s\n' "${found%% *}"
}

# give_ring TEXT CLIENTS UNITS: what stands beside the ring says what was put here, and who has the same.
give_ring() {
  write_file "$CACHES/$CACHE.ring.sha256" <<<"$(hash_of "$1") $2"
  [[ ! -e $CACHES/$CACHE.ring || $(<"$CACHES/$CACHE.ring") != "$1" ]] || return 0
  require_claim
  log "giving $HOSTNAME the ring of $CACHE: ${1//$'\n'/ }"
  write_file "$CACHES/$CACHE.ring" <<<"$1"
  reload_units "$3"
}

clients_of_ring() { [[ ! -e $CACHES/$CACHE.ring.sha256 ]] || sed 's/^[^ ]* *//' "$CACHES/$CACHE.ring.sha256"; }

# The ring without a node; empty when it has none besides, or has not this one.
ring_without() {
  ! grep -qsxF "$1" "$CACHES/$CACHE.ring" || grep -vxF "$1" "$CACHES/$CACHE.ring" || true
}

# The ring from which a node was set aside; empty when it was not.
ring_before() {
  [[ $(head -n 1 "$CACHES/$CACHE.aside" 2>/dev/null) != "$1" ]] || tail -n +2 "$CACHES/$CACHE.aside"
}
