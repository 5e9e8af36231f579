#!/usr/bin/env bash
# Install exactly one version of the package, newer or older than the installed one. Reconfigures nothing.
# Usage: install-package.sh COMPONENT NAME VERSION [SECONDS]
#
# COMPONENT and NAME are both the name of the upgrade, as in: scalr scalr.
# Repairs a half installed package, and keeps changed configuration files. Refuses (77) while services run, and a held
# package. SECONDS limits the installation; without it 7200.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/upgrade/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/upgrade/lib-package.sh
. "$here/lib-package.sh"
# shellcheck source=scripts/upgrade/lib-database.sh
. "$here/lib-database.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 3 || $# == 4)) || misuse "install-package.sh takes COMPONENT NAME VERSION [SECONDS], got: $*"
  local kind said held found seconds=${4:-7200}
  load_upgrade "$1" "$2"
  require_version "$3"
  require_number "$seconds" seconds
  require_claim
  if [[ $(installed_version) == "$3" ]]; then
    remove_skip_file
    receipt "$PACKAGE $3 is already installed on $HOSTNAME"
    return
  fi
  held=$(upgrade_py packages held)
  [[ -z $held ]] || refuse "$HOSTNAME: $held"
  require_stopped
  load_kind
  note_found
  require_claim
  trap remove_skip_file EXIT
  make_skip_file
  install_version "$3" "$seconds"
  if [[ $(installed_version) != "$3" ]]; then
    found=$(upgrade_py packages found)
    [[ -z $found || $(installed_version) == "$found" ]] || found+=', half installed'
    refuse "$HOSTNAME has $PACKAGE ${found:-not installed} (allowed: $3, completely installed); last output: $(last_said); repair it and run again"
  fi
  receipt "$PACKAGE $3 is installed on $HOSTNAME"
}

{
  main "$@"
  exit
}
