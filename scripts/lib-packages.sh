# Sourced by scripts that need Debian packages: `packages` are theirs.
# shellcheck shell=bash

missing() {
  local package
  for package in "${packages[@]}"; do
    [[ $(dpkg-query -Wf '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || printf '%s ' "$package"
  done
}

# How long to wait for another apt-get or dpkg, in seconds.
LOCK_SECONDS=${CHANGEOVER_LOCK_SECONDS:-300}

# unlocked COMMAND…: run a program of apt or dpkg, again while another one holds a lock: apt-get's own wait covers two of
# the four locks. Narrates on stderr. Past LOCK_SECONDS, and when it fails otherwise, end with 75.
unlocked() {
  local said deadline rc told=''
  deadline=$(($(monotonic_ms) + LOCK_SECONDS * 1000))
  while :; do
    rc=0
    { said=$(LC_ALL=C DEBIAN_FRONTEND=noninteractive "$@" 2>&1 >&3) || rc=$?; } 3>&2
    if ((rc == 0)) || ! [[ $said =~ [^$'\n']*(Could not get lock|lock was locked by another process)[^$'\n']* ]]; then break; fi
    (($(monotonic_ms) < deadline)) || timed_out "another program installs packages on $HOSTNAME, still after $LOCK_SECONDS s: ${BASH_REMATCH[0]}"
    [[ -n $told ]] || log "waiting for another program that installs packages (limit: $LOCK_SECONDS s): ${BASH_REMATCH[0]}"
    told=yes
    pause 1
  done
  [[ -z $said ]] || printf '%s\n' "$said" >&2
  ((rc == 0)) || timed_out "$1 ended with $rc on $HOSTNAME; its reason is above; remove the cause and run again"
}

# apt-get asks nothing and says little.
apt_get() { unlocked apt-get -qq "$@"; }

install_missing() {
  local lacking
  local -a wanted
  command -v dpkg-query >/dev/null || refuse "$HOSTNAME is no Debian machine; install ${packages[*]} by hand"
  lacking=$(missing)
  [[ -n $lacking ]] || return 0
  read -ra wanted <<<"$lacking"
  log "installing ${wanted[*]}"
  apt_get update
  apt_get install --no-install-recommends "${wanted[@]}"
  lacking=$(missing)
  [[ -z $lacking ]] || timed_out "still missing on $HOSTNAME: $lacking"
}

# install_at_rest UNIT: the same for a service that is not to start when its package is installed. The mask is at /run, so it is
# told from one of the operator, and a run that was killed half-way is finished by the next.
install_at_rest() {
  local state
  state=$(systemctl is-enabled "$1" 2>/dev/null) || true
  if [[ $state != masked-runtime ]]; then
    [[ -n $(missing) ]] || return 0
    if systemctl cat "$1" >/dev/null 2>&1; then
      install_missing
      return
    fi
    systemctl mask --runtime --quiet "$1"
  fi
  install_missing
  systemctl unmask --runtime --quiet "$1"
  systemctl disable --quiet "$1"
}
