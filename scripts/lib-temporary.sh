# Sourced by scripts that change something for a while (drained, allocation off, alert silenced).
# shellcheck shell=bash

readonly UNDO_LIB=/usr/local/lib/changeover/undo UNDO_UNIT=/etc/systemd/system/changeover-undo

# temporarily NAME SECONDS UNDO-SCRIPT [WORD…]: record a temporary change before it is made, and arm the timer that
# puts it back if nobody comes. Ends with 75 when it can't be recorded: then the change must not be made. A change that
# is recorded already keeps the undo that knows what was found first; an older timer finds another token in the record and
# does nothing. After a reboot of this host, or when an undo failed, changeover-undo.timer does what is due.
# A fence is never made this way: it is not lifted by time.
temporarily() {
  local name=$1 seconds=$2 record undo token boot=''
  shift 2
  record=$(records)/temporary/$name
  undo=$(value_of "$record" undo)
  token=$$-$(monotonic_ms)
  read -r boot </proc/sys/kernel/random/boot_id || true
  printf 'id=%s\nundo=%s\ntoken=%s\nboot=%s\nup_ms=%s\ndue=%s\n' "$CHANGEOVER_ID" "${undo:-$*}" "$token" "$boot" \
    "$(($(monotonic_ms) + seconds * 1000))" "$((EPOCHSECONDS + seconds))" | write_file "$record" ||
    timed_out "$name is not changed on $HOSTNAME, since its way back can't be recorded; free some disk space, then run again"
  if [[ -d /run/systemd/system && $EUID -eq 0 ]]; then
    watch_undos || timed_out "$name is not changed on $HOSTNAME, since nobody would put it back after a reboot"
    systemd-run --quiet --collect --unit="changeover-$CHANGEOVER_COMPONENT-undo-$name-$token" \
      --on-active="$seconds" --timer-property=AccuracySec=100ms --setenv=CHANGEOVER_ROOT="$CHANGEOVER_ROOT" \
      bash "$UNDO_LIB/undo.sh" "$CHANGEOVER_COMPONENT" "$name" "$token" 0
  else
    setsid --fork bash "$SCRIPTS/undo.sh" "$CHANGEOVER_COMPONENT" "$name" "$token" "$seconds" \
      </dev/null >/dev/null 2>&1 9>&-
  fi
}

# settle NAME: the change has ended in its own way; nothing is to be put back.
settle() { rm -f "$(records)/temporary/$1"; }

# What runs an undo after a reboot is a copy of root's own: the folder of these scripts may belong to who logs in. The link
# changes at once, and a copy stays for a day, since an undo may still run from it.
copy_undo_scripts() {
  local copy
  ! diff -rq "$SCRIPTS" "$UNDO_LIB/" >/dev/null 2>&1 || return 0
  mkdir -p "${UNDO_LIB%/*}" && copy=$(mktemp -d "$UNDO_LIB.XXXXXX") && chmod 0755 "$copy" &&
    (umask 022 && cp -R --no-preserve=all "$SCRIPTS/." "$copy/") && sync -f "$copy" &&
    ln -sfn "$copy" "$UNDO_LIB.link" && mv -T "$UNDO_LIB.link" "$UNDO_LIB" || return
  find "${UNDO_LIB%/*}" -maxdepth 1 -name 'undo.??????' ! -path "$copy" -mmin +1440 -exec rm -rf {} + || true
}

# A timer that lasts over reboots looks each minute for what is due. It starts no process while nothing is changed for a while.
watch_undos() {
  copy_undo_scripts || return
  [[ ! -e $UNDO_UNIT.timer || $(undo_service) != "$(cat "$UNDO_UNIT.service" 2>/dev/null)" ]] || return 0
  undo_service | write_file "$UNDO_UNIT.service" || return
  printf '[Unit]\nDescription=Temporary changes that are to be put back (Changeover)\n[Timer]\nOnBootSec=20\nOnCalendar=minutely\nAccuracySec=1\n[Install]\nWantedBy=timers.target\n' |
    write_file "$UNDO_UNIT.timer" || return
  systemctl daemon-reload && systemctl enable --quiet --now "${UNDO_UNIT##*/}.timer"
}

undo_service() {
  cat <<END
[Unit]
Description=Put temporary changes back that are due (Changeover)
ConditionPathExistsGlob=$CHANGEOVER_ROOT/*/temporary/*
[Service]
Type=oneshot
Environment=CHANGEOVER_ROOT=$CHANGEOVER_ROOT
ExecStart=/bin/bash $UNDO_LIB/undo-due.sh
END
}
