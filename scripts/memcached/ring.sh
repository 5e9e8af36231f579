#!/usr/bin/env bash
# Have this client use a ring: /etc/changeover/caches/CACHE.ring, a HOST:PORT a line.
# Usage: ring.sh COMPONENT CACHE SHA256 CLIENTS UNITS HOST:PORT…
#
# CLIENTS are those who have the same ring; UNITS are reloaded where they run, to read it
# anew, and never restarted (both with commas, `-` for none). Beside it stands its SHA256.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/memcached/lib.sh
. "$here/lib.sh"

# For monitoring and for people, at a place that no release changes.
readonly tools=/usr/local/lib/changeover/caches

install_tools() {
  local file
  for file in node ring ring-check misses; do write_file "$tools/$file.py" 0755 <"$here/$file.py"; done
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

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# >= 6)) || misuse "ring.sh takes COMPONENT CACHE SHA256 CLIENTS UNITS HOST:PORT…, got: $*"
  local text found
  know_cache "$1" "$2"
  text=$(printf '%s\n' "${@:6}")
  found=$(sha256sum <<<"$text")
  [[ ${found%% *} == "$3" ]] || misuse "the ring has the hash ${found%% *}, not $3"
  install_tools
  write_file "$CACHES/$CACHE.ring.sha256" <<<"$3 ${4//,/ }"
  if [[ ! -e $CACHES/$CACHE.ring || $(<"$CACHES/$CACHE.ring") != "$text" ]]; then
    require_claim
    log "giving $HOSTNAME the ring ${3:0:12}: ${*:6}"
    write_file "$CACHES/$CACHE.ring" <<<"$text"
    reload_units "$5"
  fi
  receipt "$HOSTNAME has ring ${3:0:12}"
}

{
  main "$@"
  exit
}
