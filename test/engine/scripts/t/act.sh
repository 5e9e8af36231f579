#!/usr/bin/env bash
# A step of the engine tests: leaves a trace of what it did and when, fails or waits when told to.
# Usage: t/act.sh COMPONENT NAME [WORD…]

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/lib-temporary.sh
. "$here/../lib-temporary.sh"

trace() { printf '%s %s\n' "$EPOCHREALTIME" "$*" >>"$CHANGEOVER_ROOT/trace"; }

told() { value_of "$CHANGEOVER_ROOT/control" "$name.$1"; }

main() {
  local name=$2 seconds why
  trace "start $name"
  if [[ -n $(told fail) ]]; then
    trace "failed $name"
    timed_out "$name was told to fail"
  fi
  seconds=$(told wait)
  [[ -z $seconds ]] || pause "$seconds"
  require_claim
  seconds=$(told temporary)
  [[ -z $seconds ]] || temporarily "$name" "$seconds" t/back "$name"
  read -r secret || true
  trace "act $name${3:+ ${*:3}}${secret:+ with a secret of ${#secret}}"
  why=$(told bad)
  if [[ -n $why ]]; then tail_add verdict bad why "$why"; else tail_add verdict good; fi
  receipt "$name is so"
}

{
  main "$@"
  exit
}
