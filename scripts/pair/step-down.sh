#!/usr/bin/env bash
# Stop serving on this machine, because its peer was made production later.
# Usage: step-down.sh PAIR WHY
#
# Releases the service address, stops the server so that it can only start read-only, and
# writes the status `down`. Keeps all data: the transition that takes this machine in again
# sets aside what only this machine has. Nothing that can't be written keeps it from stopping.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/pair/lib-address.sh
. "$here/lib-address.sh"
# shellcheck source=scripts/pair/lib-fence.sh
. "$here/lib-fence.sh"
# shellcheck source=scripts/pair/lib-carried.sh
. "$here/lib-carried.sh"

# An immediate stop, without a checkpoint: writes that arrive now are lost to the pair.
stop_now() {
  local pid
  pid=$(server_pid) || return 0
  kill -QUIT "$pid" || true
  becomes 5 has_ended "$pid" || systemctl kill --signal=KILL "$UNIT" || kill -KILL "$pid" || true
  wait_until "PostgreSQL on $SELF ends" 15 has_ended "$pid"
}

# A machine that lost its records knows its cluster by the settings that only this program writes.
require_cluster_of_pair() {
  [[ ! -e $(records)/cluster && -e $SETTINGS/conf.d/changeover.conf ]] || require_own_cluster
}

# The mark comes before standby.signal: with that alone the next boot would take this machine for a standby. An empty file
# needs no room. Without either the next boot takes it for old production, which steps down again.
# shellcheck disable=SC2016
mark_down() { as_postgres sh -c ': >>"$1/changeover.down" && sync "$1"' - "$DATA" && as_standby; }

record_down() {
  local why
  printf -v why 'why=%s\nsince=%(%FT%T%z)T' "$1" -1
  write_file "$(records)/down" <<<"$why" || { rm -f "$(records)/reserve" && write_file "$(records)/down" <<<"$why"; }
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 2)) || misuse "step-down.sh takes PAIR WHY, got: $*"
  load_pair "$1"
  require_cluster_of_pair
  mark_down || log "$DATA on $SELF can't be marked as down; the watch stops its server again after a start"
  refuse_clients || true
  give_up_address || log "$SERVICE_ADDRESS can't be released on $SELF"
  stop_now
  # A service that does not stop must not prevent the record.
  (stop_production_services) || log "some services of production do not stop on $SELF"
  if record_down "$2"; then as_postgres rm -f "$DATA/changeover.down" || true; fi
  rm -f "$(records)/alone" || log "$(records)/alone on $SELF can't be removed"
  write_file "/etc/$PAIR/$PAIR.status" <<<down || true
  receipt "$SELF is down: $2"
}

{
  main "$@"
  exit
}
