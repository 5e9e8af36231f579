# Sourced by scripts that need Debian packages: `packages` are theirs.
# shellcheck shell=bash

missing() {
  local package
  for package in "${packages[@]}"; do
    [[ $(dpkg-query -Wf '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || printf '%s ' "$package"
  done
}

# apt-get asks nothing, says little and waits for whoever else installs.
apt_get() { DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "$@"; }

install_missing() {
  local lacking
  local -a wanted
  command -v dpkg-query >/dev/null || refuse "$HOSTNAME is no Debian machine; install ${packages[*]} by hand"
  lacking=$(missing)
  [[ -n $lacking ]] || return 0
  read -ra wanted <<<"$lacking"
  log "installing ${wanted[*]}"
  apt_get update >&2
  apt_get install --no-install-recommends "${wanted[@]}" >&2
  lacking=$(missing)
  [[ -z $lacking ]] || timed_out "still missing on $HOSTNAME: $lacking"
}

# install_at_rest UNIT: the same for a service that is not to start when its package is installed.
install_at_rest() {
  [[ -n $(missing) ]] || return 0
  if systemctl cat "$1" >/dev/null 2>&1; then
    install_missing
    return
  fi
  systemctl mask --quiet "$1"
  install_missing
  systemctl unmask --quiet "$1"
  systemctl disable --quiet "$1"
}
