# Sourced by the scripts of staged upgrades: this host's settings from configure-host.sh, its package, time-limited commands.
# shellcheck shell=bash

# Some builds of rpm find their database through HOME, which a systemd unit does not have.
export HOME=${HOME:-/root} PYTHONDONTWRITEBYTECODE=1
readonly UPGRADES=${CHANGEOVER_UPGRADES:-/etc/changeover/upgrades}
# shellcheck disable=SC2034
readonly KEYS=(
  package role main folder disk_percent services stop start reconfigure status supervisor supervisor_says skip_file kind
  dump client credentials backup_folder keep server database_start database_stop database_seconds silence unsilence
)

# load_upgrade COMPONENT NAME: each setting into a variable with its name in capitals.
load_upgrade() {
  local file=$UPGRADES/$2 key value
  export CHANGEOVER_COMPONENT=$1
  require_name "$1" "$2"
  [[ -r $file ]] || refuse "$HOSTNAME has no $file; upgrade/configure-host.sh has not run there"
  NAME=$2
  for key in "${KEYS[@]}"; do printf -v "${key^^}" '%s' ''; done
  while IFS= read -r value; do
    key=${value%%=*}
    [[ " ${KEYS[*]} " != *" $key "* ]] || printf -v "${key^^}" '%s' "${value#*=}"
  done <"$file"
}

require_name() {
  local word
  for word in "$@"; do [[ $word =~ ^[a-z0-9][a-z0-9_-]*$ ]] || misuse "\"$word\" is not a name; allowed: a-z, 0-9, _ and -"; done
}

require_version() { [[ $1 =~ ^[0-9][0-9A-Za-z.+~^_:-]*$ ]] || misuse "\"$1\" is not a full package version; allowed: such as 7.4.0-1"; }

require_number() { [[ $1 =~ ^[1-9][0-9]{0,5}$ ]] || misuse "\"$1\" is not a number of $2; allowed: 1 to 999999"; }

# The records about the package on this host, shared by its components.
facts() { printf '%s/%s\n' "$CHANGEOVER_ROOT" "$NAME"; }

upgrade_py() { python3 "$SCRIPTS/upgrade/$1.py" "$NAME" "${@:2}"; }

# The completely installed version, or nothing.
installed_version() { upgrade_py packages whole; }

# Services that run, or that their supervisor keeps starting. Without a supervisor: processes that use files of the package.
active_services() {
  local names
  names=$(upgrade_py status active)
  if [[ -z $names && $(upgrade_py status) == *'"supervisor": false'* ]]; then
    names=$(python3 "$SCRIPTS/users.py" "$FOLDER" | paste -sd "," | sed "s|,|, |g")
  fi
  printf '%s\n' "$names"
}

# bounded SECONDS WHAT COMMAND…: run COMMAND for at most SECONDS; its output goes to the file `said`, which only root reads.
# One command at a time on this host, or one for each WHAT if `beside` is set. It runs in its own scope, so that daemons
# that it starts outlive the step.
bounded() {
  local seconds=$1 what=$2 child rc=0
  local -a scope=()
  shift 2
  said=$(facts)/said/$what
  install -d -m 0755 "$(facts)"
  install -d -m 0700 "${said%/*}"
  if [[ -d /run/systemd/system && $EUID -eq 0 ]]; then
    scope=(systemd-run --quiet --scope --collect --unit="changeover-$NAME-$what-$$-$(monotonic_ms)")
  fi
  "${scope[@]}" timeout --kill-after=5 "$seconds" flock -o -E 75 -w 60 "$(facts)/commands${beside:+-$what}" "$@" \
    </dev/null >"$said" 2>&1 9>&- &
  child=$!
  trap 'cut_short "$what" "$child"' TERM
  wait "$child" || rc=$?
  trap - TERM
  return "$rc"
}

# At the step's deadline. An installation may go on to its end: a half installed package is worse than a late one.
cut_short() {
  [[ $1 == package || $1 == heal ]] || kill -TERM "$2" 2>/dev/null || true
  timed_out "$1 on $HOSTNAME did not end before the deadline of its step; last output: $(last_said)"
}

# The last lines of the last bounded command, on one line.
last_said() { tail -n 4 "$said" | tr -s '[:space:]' ' '; }

# run_line SECONDS WHAT LINE: the same for a command line of the settings, which must end with 0.
run_line() {
  local rc=0
  log "running $2: $3"
  bounded "$1" "$2" bash -c "$3" || rc=$?
  case $rc in
    0) ;;
    75 | 124 | 137) timed_out "$2 on $HOSTNAME did not end within $1 s; last output: $(last_said)" ;;
    *) refuse "$2 on $HOSTNAME ended with $rc (allowed: 0); last output: $(last_said); whole output: $said; fix the cause and run again" ;;
  esac
}

# Refuse if a service runs again after the stop.
require_stopped() {
  local active
  active=$(active_services)
  [[ -z $active ]] || refuse "services of $HOSTNAME run: $active (allowed between stop and reconfigure: none); $(start_again)"
}
