# Sourced by the scripts of staged upgrades: what configure.sh told this host, its package, bounded commands.
# shellcheck shell=bash

# Where rpm looks for its database depends on HOME in some builds, and a unit has none.
export HOME=${HOME:-/root} PYTHONDONTWRITEBYTECODE=1
readonly UPGRADES=${CHANGEOVER_UPGRADES:-/etc/changeover/upgrades}
# shellcheck disable=SC2034
readonly KEYS=(
  package role main folder disk_percent services stop start reconfigure status supervisor supervisor_says skip_file kind
  dump client credentials backup_folder keep server database_start database_stop database_seconds silence unsilence
)

# load_upgrade COMPONENT NAME: each setting into a variable of its name in capitals.
load_upgrade() {
  local file=$UPGRADES/$2 key value
  export CHANGEOVER_COMPONENT=$1
  require_name "$1" "$2"
  [[ -r $file ]] || refuse "$HOSTNAME has no $file; upgrade/configure.sh has not run on it"
  NAME=$2
  for key in "${KEYS[@]}"; do printf -v "${key^^}" '%s' ''; done
  while IFS= read -r value; do
    key=${value%%=*}
    [[ " ${KEYS[*]} " != *" $key "* ]] || printf -v "${key^^}" '%s' "${value#*=}"
  done <"$file"
}

require_name() {
  local word
  for word in "$@"; do [[ $word =~ ^[a-z0-9][a-z0-9_-]*$ ]] || misuse "$word is no name; allowed are a-z, 0-9, _ and -"; done
}

require_version() { [[ $1 =~ ^[0-9][0-9A-Za-z.+~^_:-]*$ ]] || misuse "$1 is no full version of a package, as 7.4.0-1 is"; }

require_number() { [[ $1 =~ ^[1-9][0-9]{0,5}$ ]] || misuse "$1 is no number of $2"; }

# What this host knows of the package, whichever component asks.
facts() { printf '%s/%s\n' "$CHANGEOVER_ROOT" "$NAME"; }

upgrade_py() { python3 "$SCRIPTS/upgrade/$1.py" "$NAME" "${@:2}"; }

# The version that is installed completely; nothing without one.
installed_version() { upgrade_py packages whole; }

# Names of services that run, or that go on being started. Without a supervisor nobody says so: then what has files of the
# package in use.
active_services() {
  local names
  names=$(upgrade_py status active)
  if [[ -z $names && $(upgrade_py status) == *'"supervisor": false'* ]]; then
    names=$(python3 "$SCRIPTS/users.py" "$FOLDER" | paste -sd "," | sed "s|,|, |g")
  fi
  printf '%s\n' "$names"
}

# bounded SECONDS WHAT COMMAND…: run it for at most SECONDS; what it says is left in a file that only root reads, `said`.
# One at a time on this host, or of its kind where `beside` is set. What it starts outlives the step, as daemons of an init
# script must: it runs in a scope of its own.
bounded() {
  local seconds=$1 what=$2 child rc=0
  local -a apart=()
  shift 2
  said=$(facts)/said/$what
  install -d -m 0755 "$(facts)"
  install -d -m 0700 "${said%/*}"
  if [[ -d /run/systemd/system && $EUID -eq 0 ]]; then
    apart=(systemd-run --quiet --scope --collect --unit="changeover-$NAME-$what-$$-$(monotonic_ms)")
  fi
  "${apart[@]}" timeout --kill-after=5 "$seconds" flock -o -E 75 -w 60 "$(facts)/commands${beside:+-$what}" "$@" \
    </dev/null >"$said" 2>&1 9>&- &
  child=$!
  trap 'cut_short "$what" "$child"' TERM
  wait "$child" || rc=$?
  trap - TERM
  return "$rc"
}

# The step's own deadline has come. An installation is left to its end: half of one is worse than a late one.
cut_short() {
  [[ $1 == package || $1 == heal ]] || kill -TERM "$2" 2>/dev/null || true
  timed_out "$1 on $HOSTNAME has not ended in the time of its step; it said last: $(last_said)"
}

# The end of what the last bounded command said, on one line.
last_said() { tail -n 4 "$said" | tr -s '[:space:]' ' '; }

# run_line SECONDS WHAT LINE: the same for a command line of the settings, which has to end well.
run_line() {
  local rc=0
  log "running $2: $3"
  bounded "$1" "$2" bash -c "$3" || rc=$?
  case $rc in
    0) ;;
    75 | 124 | 137) timed_out "$2 on $HOSTNAME did not end within $1 s; it said last: $(last_said)" ;;
    *) refuse "$2 on $HOSTNAME ended with $rc, allowed is 0; it said last: $(last_said); all of it: $said; mend it and run again" ;;
  esac
}

# Refuse unless nothing runs that a stop has ended.
require_stopped() {
  local active
  active=$(active_services)
  [[ -z $active ]] || refuse "on $HOSTNAME there is $active, although all was stopped; allowed is nothing that runs; $(start_again)"
}
