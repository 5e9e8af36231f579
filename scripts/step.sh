#!/usr/bin/env bash
# Run one acting script of a transition, detached from the connection, and follow it.
# Usage: step.sh [--beside] COMPONENT TRANSITION ID DEADLINE SCRIPT [WORD…]
#
# Does nothing when the transition is done on this host. Refuses (77) when another
# transition has claimed the host. A second call attaches to the first one's run.
# SCRIPT is a file of this folder, or software/HASH/NAME/install beside the releases.
# Secrets come on stdin and are handed on. With --beside scripts that have finer locks
# run at the same time; the last word, a name, tells their runs apart.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"

alive() {
  local pid
  pid=$(cat "$run/pid" 2>/dev/null) || return 1
  grep -qzF -- "$run" "/proc/$pid/cmdline" 2>/dev/null
}

# systemd takes ${WORD} in an argument for a variable, and $$ for a dollar.
start() {
  install -d -m 0700 "$run"
  rm -f "$run"/{rc,pid,out,err}
  : >"$run/out" && : >"$run/err"
  # The run removes its input when it has opened it; a run that never began leaves no secret.
  trap 'rm -f "$run/in"' EXIT
  if [[ -t 0 ]]; then : >"$run/in"; else (umask 077 && cat >"$run/in"); fi
  if [[ -d /run/systemd/system && $EUID -eq 0 ]]; then
    systemd-run --quiet --collect --unit="changeover-$1-$(basename "$run")" \
      --setenv=CHANGEOVER_ROOT="$CHANGEOVER_ROOT" --setenv=CHANGEOVER_BESIDE="$beside" \
      bash "$here/inside.sh" "$run" "${@//\$/\$\$}"
  else
    CHANGEOVER_BESIDE=$beside setsid --fork bash "$here/inside.sh" "$run" "$@" </dev/null >/dev/null 2>&1
  fi
  wait_until "the run of $5 starts" 20 test -s "$run/pid"
}

# Narrate until the run leaves its result; a run that dies without one is to be run again.
follow() {
  local line part='' rounds=0
  exec 3<"$run/err"
  while :; do
    local ended=''
    [[ ! -e $run/rc ]] || ended=1
    while IFS= read -r line <&3; do
      printf '%s\n' "${part}${line}" >&2 || true
      part=''
    done
    part+=$line
    [[ -z $ended ]] || break
    ((++rounds % 50)) || alive || [[ -e $run/rc ]] || timed_out "the run of $1 died without a result"
    pause 0.02
  done
  cat "$run/out"
  exit "$(<"$run/rc")"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  local beside=''
  [[ ${1:-} != --beside ]] || { beside=yes && shift; }
  (($# >= 5)) || misuse "step.sh takes COMPONENT TRANSITION ID DEADLINE SCRIPT [WORD…], got: $*"
  export CHANGEOVER_COMPONENT=$1 CHANGEOVER_TRANSITION=$2 CHANGEOVER_ID=$3
  if is_done; then
    # Nothing else for programs: it is no verdict, no fence, no proof.
    tail_add complete yes
    receipt "$2 is complete, nothing done"
    return
  fi
  require_claim
  run=$(records)/runs/$3-${5//\//-}${beside:+-${*: -1}}
  mkdir -p "$(records)/runs"
  exec 8>"$run.starting"
  flock -w 30 8 || timed_out "another call starts $5"
  if alive; then log "attaching to the run of $5"; else start "$@" 8>&-; fi
  exec 8>&-
  follow "$5"
}

{
  main "$@"
  exit
}
