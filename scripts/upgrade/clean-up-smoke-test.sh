#!/usr/bin/env bash
# Run the clean-up of a smoke test that ended, unless it has already run.
# Usage: clean-up-smoke-test.sh COMPONENT NAME TEST SECONDS
#
# COMPONENT and NAME are both the name of the upgrade, as in: scalr scalr.
# Waits at most SECONDS for the test to end, then at most SECONDS for the clean-up.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/upgrade/lib.sh
. "$here/lib.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 4)) || misuse "clean-up-smoke-test.sh takes COMPONENT NAME TEST SECONDS, got: $*"
  local said file rc=0 beside=yes
  load_upgrade "$1" "$2"
  require_name "$3"
  require_number "$4" seconds
  file=$(facts)/smoke/$3
  mkdir -p "${file%/*}"
  exec 7>"$file.lock"
  flock -w "$4" 7 || timed_out "smoke test $3 on $HOSTNAME has not ended after $4 s"
  # Processes that the test started outlive a killed script.
  flock -w "$4" "$(facts)/commands-smoke-$3" true || timed_out "processes of smoke test $3 on $HOSTNAME still run after $4 s"
  if [[ ! -s $file ]]; then
    receipt "nothing to clean up after smoke test $3"
    return
  fi
  log "cleaning up after smoke test $3: $(<"$file")"
  bounded "$4" "tidy-$3" bash "$file" 7>&- || rc=$?
  ((rc == 0)) || timed_out "the clean-up after smoke test $3 on $HOSTNAME ended with $rc (allowed: 0): $(last_said)"
  rm -f "$file"
  receipt "smoke test $3 is cleaned up"
}

{
  main "$@"
  exit
}
