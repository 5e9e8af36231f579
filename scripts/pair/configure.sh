#!/usr/bin/env bash
# Write this machine's file of a pair, and start the services that answer its peer.
# Usage: configure.sh PAIR key=value…    (stdin: the pair's secrets, a line for each)
#
# Keys: self peer self_address peer_address primary secondary service_address interface
# database port peer_port clients network, and carries.… (files, indexes, services, checks).
# Secrets: peer replication rsync checks owner. A new one is told to the database first.
# A running server is reloaded, never restarted. Refuses (77) a service address that the
# machine's own network files contain.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$here/lib.sh"
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

readonly keys=(self peer self_address peer_address primary secondary service_address interface database port peer_port)

write_conf() {
  local pair=$1 word key
  shift
  local -A setting=([clients]='' [network]='')
  for word in "$@"; do setting[${word%%=*}]=${word#*=}; done
  for key in "${keys[@]}"; do [[ -n ${setting[$key]:-} ]] || misuse "configure.sh needs $key=…"; done
  local primary=${setting[self_address]} secondary=${setting[peer_address]}
  [[ ${setting[self]} == "${setting[primary]}" ]] || primary=${setting[peer_address]} secondary=${setting[self_address]}
  {
    printf 'PAIR=%s\nIP_PRIMARY_SERVER=%s\nIP_SECONDARY_SERVER=%s\n' "$pair" "$primary" "$secondary"
    for key in "${keys[@]}" clients network; do printf '%s=%s\n' "${key^^}" "${setting[$key]:-}"; done
    for key in "${!setting[@]}"; do [[ $key != carries.settings.* ]] || printf '%s=%s\n' "${key#carries.settings.}" "${setting[$key]}"; done
    [[ -z ${setting[carries.rsync_port]:-} ]] || printf '%s_rsync_port=%s\n' "$pair" "${setting[carries.rsync_port]}"
  } | write_file "/etc/$pair/$pair.conf"
}

refuse_address_at_boot() {
  local word address='' file
  for word in "$@"; do [[ $word != service_address=* ]] || address=${word#*=}; done
  file=$(python3 -c "import sys; sys.path[0] = '$here'; import facts; print(facts.in_network_files(sys.argv[1]) or '')" "$address")
  [[ -z $file ]] || refuse "$file on $HOSTNAME contains the service address $address, so $HOSTNAME would take it at boot; remove it from that file"
}

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
