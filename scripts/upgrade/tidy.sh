#!/usr/bin/env bash
# Clean up after a smoke test that has ended, however it has, unless that was done.
# Usage: tidy.sh COMPONENT NAME TEST SECONDS
#
# Waits for SECONDS until the test has ended, and cleans up for as long at most.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/upgrade/lib.sh
. "$here/lib.sh"

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 4)) || misuse "tidy.sh takes COMPONENT NAME TEST SECONDS, got: $*"
  local said file rc=0 beside=yes
  load_upgrade "$1" "$2"
  require_name "$3"
  require_number "$4" seconds
  file=$(facts)/smoke/$3
  mkdir -p "${file%/*}"
  exec 7>"$file.lock"
  flock -w "$4" 7 || timed_out "test $3 on $HOSTNAME has not ended after $4 s"
  # What the test has started outlives whoever was killed.
  flock -w "$4" "$(facts)/commands-smoke-$3" true || timed_out "test $3 on $HOSTNAME still runs after $4 s"
  if [[ ! -s $file ]]; then
    receipt "nothing to clean up after $3"
    return
  fi
  log "cleaning up after $3: $(<"$file")"
  bounded "$4" "tidy-$3" bash "$file" 7>&- || rc=$?
  ((rc == 0)) || timed_out "the clean-up after $3 on $HOSTNAME ended with $rc: $(last_said)"
  rm -f "$file"
  receipt "cleaned up after $3"
}

{
  main "$@"
  exit
}
