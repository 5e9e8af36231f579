#!/usr/bin/env bash
# Make this machine a server of a pool: user, folders, settings, unit, maintenance command.
# Usage: configure.sh COMPONENT POOL KEY=VALUE…    (stdin: secret settings of the application, one KEY=VALUE a line)
#
# Keys: address port ready status host owner owner_uid keep, links (`public/styles=system/styles …`: a
# folder of the release, and its target under shared/), balancers and allowed (who reaches the
# application; allowed also in maintenance), writes (volumes outside of shared/), and env.NAME for a
# variable of the application. Starts nothing: a release does. Refuses (77) a pool with the name of
# a unit or a folder of this machine.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/app/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/app/lib-configure.sh
. "$here/lib-configure.sh"
# shellcheck source=scripts/app/lib-own.sh
. "$here/lib-own.sh"
# shellcheck source=scripts/app/lib-firewall.sh
. "$here/lib-firewall.sh"

readonly keys=(address port ready status owner owner_uid keep links allowed host balancers writes)

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# >= 3)) || misuse "configure.sh takes COMPONENT POOL KEY=VALUE…, got: $#"
  local key word changed=''
  local -A settings=([port]=8080 [ready]=/ready [status]=200 [owner]=expprodl [owner_uid]=763 [keep]=5 [links]='' [allowed]=''
    [host]='' [balancers]='' [writes]='')
  local -a lines=()
  export CHANGEOVER_COMPONENT=$1
  require_entry "$2"
  for word in "${@:3}"; do take "$word"; done
  take_secrets
  [[ -n ${settings[address]:-} ]] || misuse "configure.sh needs address=…"
  require_own_names "$2"
  put "/etc/$2/$2.conf" 0644 "$(for key in "${keys[@]}"; do printf '%s=%s\n' "${key^^}" "${settings[$key]}"; done)"
  load_pool "$1" "$2"
  have_owner "${settings[owner_uid]}"
  have_folders
  for key in "${!settings[@]}"; do [[ $key != env.* ]] || lines+=("${key#env.}=${settings[$key]}"); done
  mapfile -t lines < <(printf '%s\n' "ADDRESS=$ADDRESS" "PORT=$PORT" "${lines[@]}" | sort)
  put "/etc/$POOL/environment" 0640 "$(environment "${lines[@]}")"
  chgrp "$OWNER" "/etc/$POOL/environment"
  have_access
  put "/etc/systemd/system/$UNIT" 0644 "$(unit_text)"
  maintenance_command
  systemctl daemon-reload
  systemctl enable --quiet "$UNIT"
  [[ -z $changed || -z $(running) ]] || log "the running application reads$changed at its next release or restart"
  receipt "$HOSTNAME is configured as a server of pool $POOL"
}

{
  main "$@"
  exit
}
