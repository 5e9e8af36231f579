# Sourced by every host script: words, exit codes, waits, the claim.
# shellcheck shell=bash

set -euo pipefail
# Narration must never end a script: its reader may be gone.
trap '' PIPE

readonly CHANGEOVER_ROOT=${CHANGEOVER_ROOT:-/var/lib/changeover}
readonly STARTED=$EPOCHREALTIME
readonly SCRIPTS=${BASH_SOURCE[0]%/*}

# Say what is about to be done, on stderr, with the time in UTC: hosts may have zones of their own.
log() { TZ=UTC0 printf '%(%FT%TZ)T %s\n' -1 "$*" >&2 || true; }

# End with an instruction to the caller: 64 fix the call, 75 run again, 77 a person must decide.
misuse() { log "called wrongly: $*" && exit 64; }
timed_out() { log "timed out: $*" && exit 75; }
refuse() { log "refused: $*" && exit 77; }

# Print the header of the running script as its help.
show_help() { sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"; }

# Milliseconds since the machine started: a wait must not move with the clock.
monotonic_ms() {
  local up
  read -r up _ </proc/uptime
  printf '%d\n' "$((10#${up%.*}${up#*.} * 10))"
}

# Let SECONDS (may have a fraction) pass without a process.
pause() { read -rt "$1" _ <> <(:) || true; }

# wait_until WHAT SECONDS COMMAND…: ask COMMAND again and again; past the deadline end with 75.
wait_until() {
  local what=$1 seconds=$2 deadline
  shift 2
  deadline=$(($(monotonic_ms) + seconds * 1000))
  until "$@"; do
    (($(monotonic_ms) < deadline)) || timed_out "$what: not so after $seconds s"
    pause 0.02
  done
}

# Letters, digits and these stand for themselves in the tail of a receipt; any other byte is %XX. (`transition/receipt.ts` does the same.)
readonly PLAIN='A-Za-z0-9._:/+,@~-'
RECEIPT_TAIL=''

encoded() {
  local LC_ALL=C text=$1 i char code
  for ((i = 0; i < ${#text}; i++)); do
    char=${text:i:1}
    if [[ $char != [$PLAIN] ]]; then
      printf -v code %d "'$char"
      printf -v char '%%%02X' $((code & 255))
    fi
    printf %s "$char"
  done
}

# tail_add KEY VALUE…: pairs for programs, which read nothing else of the receipt that comes next. A key is of a-z and _.
tail_add() {
  while (($# > 1)); do
    RECEIPT_TAIL+=" $1=$(encoded "$2")"
    shift 2
  done
}

# tail_of RECEIPT KEY: what a receipt says to programs; empty when it does not, whatever its prose is.
tail_of() {
  local LC_ALL=C word found='' pair=" [a-z_]+=([$PLAIN]|%[0-9A-F]{2})*"
  local -a tail_pairs
  [[ $1 =~ \ \|(($pair)+)$ ]] || return 0
  read -ra tail_pairs <<<"${BASH_REMATCH[1]}"
  for word in "${tail_pairs[@]}"; do [[ $word != "$2="* ]] || found=${word#*=}; done
  printf '%b\n' "${found//%/\\x}"
}

# The one line on stdout: COMPONENT, what is so now, seconds taken; then ` | ` and the tail, which ends with when this script began
# on its host (UTC) and the seconds that it took. A run that a second connection attached to says its own times.
receipt() {
  local began=${STARTED/[.,]/} now=$EPOCHREALTIME us from
  us=$((${now/[.,]/} - began))
  TZ=UTC0 printf -v from '%(%FT%T)T.%03dZ' $((began / 1000000)) $((began % 1000000 / 1000))
  printf '%s %s %d.%02d |%s began=%s took=%d.%03d\n' "$CHANGEOVER_COMPONENT" "${*//$'\n'/ }" $((us / 1000000)) \
    $((us % 1000000 / 10000)) "$RECEIPT_TAIL" "$from" $((us / 1000000)) $((us % 1000000 / 1000))
}

# receipt_of TEXT: the receipt of what the Python half of a script said: a line of prose, then key=value a line.
receipt_of() {
  local line
  while IFS= read -r line; do tail_add "${line%%=*}" "${line#*=}"; done < <(tail -n +2 <<<"$1")
  receipt "${1%%$'\n'*}"
}

# Write stdin to FILE so that a reader sees the old text or the new one, also after a power cut. When it can't be written
# it says so, keeps the old text and ends with 1, also where errexit is off.
write_file() {
  local file=$1 mode=${2:-0644} folder temporary=''
  folder=$(dirname "$file")
  { mkdir -p "$folder" && temporary=$(mktemp "$file.XXXXXX") && cat >"$temporary" && chmod "$mode" "$temporary" &&
    sync "$temporary" && mv -f "$temporary" "$file" && sync "$folder"; } || {
    [[ -z $temporary ]] || rm -f "$temporary" || true
    log "$file on $HOSTNAME can't be written; its old text stays"
    return 1
  }
}

# Refuse a PATH of which an account besides root could exchange a part: root follows nothing that another account can change.
require_own_path() {
  local wrong
  wrong=$(python3 -I "$SCRIPTS/handles.py" "$@" 2>&1) || refuse "${wrong#refused: } ($HOSTNAME)"
}

# Read one line of stdin into NAME; it may end without a newline, but not be empty.
read_secret() {
  IFS= read -r "$1" || [[ -n ${!1:-} ]] || misuse "$2 is read from stdin, which is empty"
}

# The value of KEY in a file of KEY=VALUE lines; empty when either is missing.
value_of() {
  local file=$1 key=$2 line
  [[ -r $file ]] || return 0
  while IFS= read -r line; do
    [[ $line != "$key="* ]] || { printf '%s\n' "${line#*=}" && return 0; }
  done <"$file"
}

# The records of the component on this host.
records() { printf '%s/%s\n' "$CHANGEOVER_ROOT" "$CHANGEOVER_COMPONENT"; }

is_done() { [[ $(value_of "$(records)/done/$CHANGEOVER_TRANSITION" id) == "$CHANGEOVER_ID" ]]; }

start_again() {
  printf "start again: npx pulumi up --replace '**::%s-%s-id'" "$CHANGEOVER_COMPONENT" "$CHANGEOVER_TRANSITION"
}

# Refuse unless this transition still holds the claim and nothing it relies on was put back.
# Each acting script calls it at its start and again just before its irreversible act.
require_claim() {
  local claim id cure
  claim=$(records)/claim
  id=$(value_of "$claim" id)
  if [[ $id != "$CHANGEOVER_ID" ]]; then
    cure=$(start_again)
    [[ $(value_of "$claim" paused_id) != "$CHANGEOVER_ID" ]] || cure="$(value_of "$claim" transition) comes first: npx pulumi up"
    refuse "$HOSTNAME is claimed by $(value_of "$claim" transition) ${id:-nobody}, not by $CHANGEOVER_TRANSITION $CHANGEOVER_ID; $cure"
  fi
  [[ ! -e $(records)/expired/$CHANGEOVER_ID ]] ||
    refuse "$(<"$(records)/expired/$CHANGEOVER_ID") on $HOSTNAME was put back; $(start_again)"
}
