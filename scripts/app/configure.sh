#!/usr/bin/env bash
# Make this machine an app server of a pool: user, folders, settings, unit, maintenance command.
# Usage: configure.sh COMPONENT POOL KEY=VALUE…    (stdin: secret settings of the application, KEY=VALUE a line)
#
# Keys: address port ready status owner owner_uid keep, links (`public/styles=system/styles …`: in the
# release, under shared/), allowed (networks that reach the application in maintenance), and
# env.NAME for the application's environment. Starts and restarts nothing: a release does.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/app/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/app/lib-configure.sh
. "$here/lib-configure.sh"

readonly keys=(address port ready status owner owner_uid keep links allowed)

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# >= 3)) || misuse "configure.sh takes COMPONENT POOL KEY=VALUE…, got: $#"
  local key word changed=''
  local -A told=([port]=8080 [ready]=/ready [status]=200 [owner]=expprodl [owner_uid]=763 [keep]=5 [links]='' [allowed]='')
  local -a lines=()
  export CHANGEOVER_COMPONENT=$1
  for word in "${@:3}"; do take "$word"; done
  take_secrets
  [[ -n ${told[address]:-} ]] || misuse "configure.sh was not told address"
  put "/etc/$2/$2.conf" 0644 "$(for key in "${keys[@]}"; do printf '%s=%s\n' "${key^^}" "${told[$key]}"; done)"
  load_pool "$1" "$2"
  have_owner "${told[owner_uid]}"
  have_folders
  for key in "${!told[@]}"; do [[ $key != env.* ]] || lines+=("${key#env.}=${told[$key]}"); done
  mapfile -t lines < <(printf '%s\n' "ADDRESS=$ADDRESS" "PORT=$PORT" "${lines[@]}" | sort)
  put "/etc/$POOL/environment" 0640 "$(environment "${lines[@]}")"
  chgrp "$OWNER" "/etc/$POOL/environment"
  put "/etc/systemd/system/$UNIT" 0644 "$(unit_text)"
  maintenance_command
  systemctl daemon-reload
  systemctl enable --quiet "$UNIT"
  [[ -z $changed || -z $(running) ]] || log "what runs takes over$changed with the next release or restart"
  receipt "$HOSTNAME is an app server of $POOL"
}

{
  main "$@"
  exit
}
