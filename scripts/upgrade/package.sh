#!/usr/bin/env bash
# Install exactly one version of the package, newer or older than what is there. Reconfigures nothing.
# Usage: package.sh COMPONENT NAME VERSION [SECONDS]
#
# A package that is half installed is healed, changed files of configuration stay. Refuses (77) while services run, and a
# package that is held. SECONDS bound the installation, 7200 when they are not told.

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
  (($# == 3 || $# == 4)) || misuse "package.sh takes COMPONENT NAME VERSION [SECONDS], got: $*"
  local kind said held found
  load_upgrade "$1" "$2"
  require_version "$3"
  require_number "${4:-7200}" seconds
  require_claim
  if [[ $(installed_version) == "$3" ]]; then
    skip_file_away
    receipt "$PACKAGE $3 is installed on $HOSTNAME already"
    return
  fi
  held=$(upgrade_py packages held)
  [[ -z $held ]] || refuse "on $HOSTNAME $held"
  require_stopped
  load_kind
  note_found
  require_claim
  trap skip_file_away EXIT
  skip_file_there
  install_version "$3" "${4:-7200}"
  if [[ $(installed_version) != "$3" ]]; then
    found=$(upgrade_py packages found)
    [[ -z $found || $(installed_version) == "$found" ]] || found+=', half installed'
    refuse "$HOSTNAME has $PACKAGE ${found:-not installed}; allowed is $3, whole; it said last: $(last_said); mend it and run again"
  fi
  receipt "$PACKAGE $3 is installed on $HOSTNAME"
}

{
  main "$@"
  exit
}
