#!/usr/bin/env bash
# Put back every temporary change of this host whose time is over, also after a reboot.
# Usage: undo-due.sh
#
# Started each minute by changeover-undo.timer. An undo that fails is tried again by the next call.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"

# Within a boot the clock of the machine may be set, so the time since its start counts.
is_due() {
  local boot up_ms due
  read -r boot </proc/sys/kernel/random/boot_id || true
  up_ms=$(value_of "$1" up_ms) due=$(value_of "$1" due)
  # A record of an older release has no time. Its own timer is gone after a reboot only.
  [[ $due =~ ^[0-9]+$ && $up_ms =~ ^[0-9]+$ ]] || {
    is_from_before_boot "$1"
    return
  }
  if [[ $(value_of "$1" boot) == "$boot" ]]; then (($(monotonic_ms) >= up_ms)); else ((EPOCHSECONDS >= due)); fi
}

is_from_before_boot() { (($(stat -c %Y "$1") < EPOCHSECONDS - $(monotonic_ms) / 1000)); }

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# == 0)) || misuse "undo-due.sh takes no words, got: $*"
  local record component failed=0
  for record in "$CHANGEOVER_ROOT"/*/temporary/*; do
    if [[ ! -f $record || ${record##*/} == *.?????? ]] || ! is_due "$record"; then continue; fi
    component=${record%/temporary/*} && component=${component##*/}
    bash "$here/undo.sh" "$component" "${record##*/}" "$(value_of "$record" token)" 0 || failed=75
  done
  return "$failed"
}

{
  main "$@"
  exit
}
