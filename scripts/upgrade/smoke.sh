#!/usr/bin/env bash
# Run one smoke test of the application, and its clean-up in every case.
# Usage: smoke.sh COMPONENT NAME SECONDS COMMANDLINE CLEAN-UP TEST
#
# The clean-up (none when it is empty) runs when the test has failed, when it took longer than SECONDS, and when this script
# is killed: by then by a guard beside it, after a power cut by the next run. Ends with 75 and the last lines of a test that
# fails. Tests with other names may run at the same time.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/upgrade/lib.sh
. "$here/lib.sh"

guard() {
  local words=("$here/tidy.sh" "$CHANGEOVER_COMPONENT" "$NAME" "$1" "$2")
  if [[ -d /run/systemd/system && $EUID -eq 0 ]]; then
    systemd-run --quiet --collect --unit="changeover-$NAME-tidy-$1-$$" --setenv=CHANGEOVER_ROOT="$CHANGEOVER_ROOT" bash "${words[@]}"
  else
    setsid --fork bash "${words[@]}" </dev/null >/dev/null 2>&1 7>&- 9>&-
  fi
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 6)) || misuse "smoke.sh takes COMPONENT NAME SECONDS COMMANDLINE CLEAN-UP TEST, got $# words"
  local said rc=0 tidied=0 file last beside=yes seconds=$3 test=$6
  load_upgrade "$1" "$2"
  require_name "$test"
  require_number "$seconds" seconds
  require_claim
  file=$(facts)/smoke/$test
  bash "$here/tidy.sh" "$1" "$2" "$test" "$seconds" >&2 || log "what an earlier run has left is still there"
  exec 7>"$file.lock"
  flock -w 60 7 || timed_out "test $test runs already on $HOSTNAME"
  if [[ -n $5 ]]; then
    write_file "$file" 0600 <<<"$5"
    guard "$test" $((2 * seconds + 60))
  fi
  log "smoke test $test: $4"
  bounded "$seconds" "smoke-$test" bash -c "$4" 7>&- || rc=$?
  last=$(last_said)
  exec 7>&-
  bash "$here/tidy.sh" "$1" "$2" "$test" "$seconds" >&2 || tidied=$?
  case $rc in
    0) ((tidied == 0)) || timed_out "smoke test $test on $HOSTNAME is good, its clean-up is not ($tidied)" ;;
    124 | 137) timed_out "smoke test $test on $HOSTNAME did not end within $seconds s; it said last: $last" ;;
    *) timed_out "smoke test $test on $HOSTNAME failed with $rc: $last" ;;
  esac
  receipt "smoke test $test on $HOSTNAME is good,"
}

{
  main "$@"
  exit
}
