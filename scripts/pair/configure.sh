#!/usr/bin/env bash
# Write this machine's file of a pair, and start the services that answer its peer.
# Usage: configure.sh PAIR key=value…    (stdin: the pair's secrets, a line for each)
#
# Keys: self peer self_address peer_address primary secondary service_address interface
# database port peer_port clients network, and carries.… (files, indexes, services, checks).
# Secrets: peer replication rsync checks owner. A new one is told to the database first.
# A running server is reloaded, never restarted. Refuses (77) a service address that the
# machine's own network files contain, and a folder /etc/PAIR that is of something else.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/pair/lib-configure.sh
. "$here/lib-configure.sh"
# shellcheck source=scripts/pair/lib-settings.sh
. "$here/lib-settings.sh"
# shellcheck source=scripts/pair/lib-secrets.sh
. "$here/lib-secrets.sh"
# shellcheck source=scripts/pair/lib-services.sh
. "$here/lib-services.sh"
# shellcheck source=scripts/pair/lib-carried.sh
. "$here/lib-carried.sh"
# shellcheck source=scripts/pair/lib-offer.sh
. "$here/lib-offer.sh"

# A running server is never restarted: settings that need a restart are reported.
change_server() {
  local role waiting
  know_role
  # Before its roles are told, nobody who is let in now is turned away; before the settings, since they name the check's role.
  if [[ $role == writer ]]; then
    tell_roles
    admit_checks
    write_pgpass "$PGPASSFILE"
  else write_pgpass_when_admitted; fi
  write_settings
  [[ $role != stopped ]] || return 0
  reload_server
  waiting=$(sql "select string_agg(name, ', ') from pg_settings where pending_restart")
  [[ -z $waiting ]] || log "PostgreSQL on $SELF applies $waiting at its next restart; a switch restarts it"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# >= 2)) || misuse "configure.sh takes PAIR key=value…, got: $*"
  read_secrets peer replication rsync checks owner
  refuse_foreign_folder "$1"
  refuse_address_at_boot "$@"
  write_conf "$@"
  SELF=$HOSTNAME stop_left_out "$@"
  write_carries "$@"
  load_pair "$1"
  offer_no_more
  write_peer_secret
  write_rsync_secret
  install_services
  if [[ -e $(records)/cluster ]]; then change_server; else write_pgpass "$PGPASSFILE"; fi
  receipt "$SELF is configured for pair $PAIR"
}

{
  main "$@"
  exit
}
