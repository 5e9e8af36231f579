#!/usr/bin/env bash
# Run one smoke test of the application, and always its clean-up.
# Usage: run-smoke-test.sh COMPONENT NAME SECONDS COMMANDLINE CLEAN-UP TEST
#
# COMPONENT and NAME are both the name of the upgrade, as in: scalr scalr.
# The clean-up (an empty one does nothing) also runs after a test that failed or took longer than SECONDS. If this script
# is killed, a guard process runs it; after a power cut, the next run does. A failed test ends with 75 and its last lines.
# Tests with other names may run at the same time.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/upgrade/lib.sh
. "$here/lib.sh"

guard() {
  local words=("$here/clean-up-smoke-test.sh" "$CHANGEOVER_COMPONENT" "$NAME" "$1" "$2")
  if [[ -d /run/systemd/system && $EUID -eq 0 ]]; then
    systemd-run --quiet --collect --unit="changeover-$NAME-tidy-$1-$$" --setenv=CHANGEOVER_ROOT="$CHANGEOVER_ROOT" bash "${words[@]}"
  else
    setsid --fork bash "${words[@]}" </dev/null >/dev/null 2>&1 7>&- 9>&-
  fi
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 6)) || misuse "run-smoke-test.sh takes COMPONENT NAME SECONDS COMMANDLINE CLEAN-UP TEST, got $# words"
  local said rc=0 cleaned=0 file last beside=yes seconds=$3 test=$6
  load_upgrade "$1" "$2"
  require_name "$test"
  require_number "$seconds" seconds
  require_claim
  file=$(facts)/smoke/$test
  bash "$here/clean-up-smoke-test.sh" "$1" "$2" "$test" "$seconds" >&2 || log "the clean-up after an earlier run failed"
  exec 7>"$file.lock"
  flock -w 60 7 || timed_out "smoke test $test is already running on $HOSTNAME"
  if [[ -n $5 ]]; then
    write_file "$file" 0600 <<<"$5" || timed_out "the clean-up of smoke test $test is not noted on $HOSTNAME; make room and run again"
    guard "$test" $((2 * seconds + 60))
  fi
  log "smoke test $test: $4"
  bounded "$seconds" "smoke-$test" bash -c "$4" 7>&- || rc=$?
  last=$(last_said)
  exec 7>&-
  bash "$here/clean-up-smoke-test.sh" "$1" "$2" "$test" "$seconds" >&2 || cleaned=$?
  case $rc in
    0) ((cleaned == 0)) || timed_out "smoke test $test on $HOSTNAME passed, but its clean-up ended with $cleaned (allowed: 0)" ;;
    124 | 137) timed_out "smoke test $test on $HOSTNAME did not end within $seconds s; last output: $last" ;;
    *) timed_out "smoke test $test on $HOSTNAME failed with exit code $rc: $last" ;;
  esac
  receipt "smoke test $test on $HOSTNAME passed"
}

{
  main "$@"
  exit
}
