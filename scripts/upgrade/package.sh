#!/usr/bin/env bash
# Install exactly one version of the package, newer or older than what is there. Reconfigures nothing.
# Usage: package.sh COMPONENT NAME VERSION [SECONDS]
#
# A package that is half installed is healed, changed files of configuration stay. Refuses (77) while services run, and a
# package that is held. SECONDS bound the installation, 1800 when they are not told.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/upgrade/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/upgrade/lib-package.sh
. "$here/lib-package.sh"
# shellcheck source=scripts/upgrade/lib-database.sh
. "$here/lib-database.sh"

# The package reconfigures itself unless this file is there. One that a person made stays.
readonly ours='made by changeover while the package is installed'

skip_file_there() { [[ -z $SKIP_FILE || -e $SKIP_FILE ]] || write_file "$SKIP_FILE" <<<"$ours"; }

# An installation that outlives this script must not find it gone: the next run removes it.
skip_file_away() {
  [[ -n $SKIP_FILE && -e $SKIP_FILE && $(<"$SKIP_FILE") == "$ours" ]] || return 0
  flock -n "$(facts)/commands" rm -f "$SKIP_FILE" || true
}

# Before the first change: whose database it is.
note_found() {
  local found
  [[ $MAIN == yes && ! -s $(database_record) ]] || return 0
  found=$(upgrade_py packages found)
  [[ -z $found ]] || note "found=$found"
}

install_version() {
  "${kind}_heal" "$2"
  [[ $(installed_version) != "$1" ]] || return 0
  if [[ $kind == deb ]] && ! deb_offers "$1"; then deb_refresh || true; fi
  log "installing $PACKAGE $1"
  "${kind}_install" "$1" "$2" || log "the installation ended with $?"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 3 || $# == 4)) || misuse "package.sh takes COMPONENT NAME VERSION [SECONDS], got: $*"
  local kind said held found
  load_upgrade "$1" "$2"
  require_version "$3"
  require_number "${4:-1800}" seconds
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
  install_version "$3" "${4:-1800}"
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
