# Sourced by scripts that change something for a while (drained, allocation off, alert silenced).
# shellcheck shell=bash

# temporarily NAME SECONDS UNDO-SCRIPT [WORD…]: record a temporary change before it is made, and arm the timer that
# puts it back if nobody comes. A change that is recorded already keeps the undo that knows what was found first;
# an older timer finds another token in the record and does nothing.
# A fence is never made this way: it is not lifted by time.
temporarily() {
  local name=$1 seconds=$2 record undo token
  shift 2
  record=$(records)/temporary/$name
  undo=$(value_of "$record" undo)
  token=$$-$(monotonic_ms)
  printf 'id=%s\nundo=%s\ntoken=%s\n' "$CHANGEOVER_ID" "${undo:-$*}" "$token" | write_file "$record"
  if [[ -d /run/systemd/system && $EUID -eq 0 ]]; then
    systemd-run --quiet --collect --unit="changeover-$CHANGEOVER_COMPONENT-undo-$name-$token" \
      --on-active="$seconds" --timer-property=AccuracySec=100ms --setenv=CHANGEOVER_ROOT="$CHANGEOVER_ROOT" \
      bash "$SCRIPTS/undo.sh" "$CHANGEOVER_COMPONENT" "$name" "$token" 0
  else
    setsid --fork bash "$SCRIPTS/undo.sh" "$CHANGEOVER_COMPONENT" "$name" "$token" "$seconds" \
      </dev/null >/dev/null 2>&1 9>&-
  fi
}

# settle NAME: the change has ended in its own way; nothing is to be put back.
settle() { rm -f "$(records)/temporary/$1"; }
