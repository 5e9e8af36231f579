# Sourced by scripts that download or install the package, after lib.sh: the same functions for apt-get and for dnf or yum.
# shellcheck shell=bash

# not_ended CODE WHAT: log a failed command and go on; end with 75 if an earlier installation still runs.
not_ended() {
  (($1 != 75)) || timed_out "another installation still runs on $HOSTNAME; run again once it has ended"
  log "$2: $(last_said)"
}

load_kind() { kind=$(upgrade_py packages kind); }

# What this host's package lists offer, one version a line. The preflight asks in the same way.
offered() { upgrade_py repository offered; }
offers() { [[ $'\n'$(offered)$'\n' == *$'\n'"$1"$'\n'* ]]; }

# refresh: read the package lists anew. Ends with 1 also if the program ends with 0, but says that a list was not read.
refresh() { "${kind}_refresh" && ! grep -qE '(Failed to (fetch|download)|Ignoring repositories|index files failed)' "$said"; }

# Another apt-get is at work. DPkg::Lock::Timeout waits for dpkg's lock only, and not for those of lists and archives.
deb_locked() { grep -qE 'Could not get lock|Unable to (lock|acquire)' "$said"; }

# Asks no questions, keeps changed configuration files, removes no other package, and leaves services alone. Ends with 75 if
# another apt-get is at work for longer than 5 minutes.
deb_get() {
  local seconds=$1 rc deadline
  shift
  deadline=$(($(monotonic_ms) + 300000))
  while :; do
    rc=0
    bounded "$seconds" package env LC_ALL=C DEBIAN_FRONTEND=noninteractive APT_LISTCHANGES_FRONTEND=none NEEDRESTART_SUSPEND=1 \
      apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
      -o APT::Get::Remove=false -o APT::Get::allow-downgrades=true "$@" || rc=$?
    ((rc != 0)) && deb_locked || return "$rc"
    (($(monotonic_ms) < deadline)) || return 75
    pause 1
  done
}

deb_refresh() { deb_get 300 update; }
deb_fetch() { deb_get "$2" install --download-only "$PACKAGE=$1"; }

# An interrupted installation is completed first; --reinstall unpacks an incomplete package again.
deb_heal() {
  bounded "$1" heal env DEBIAN_FRONTEND=noninteractive dpkg --configure -a --force-confdef --force-confold ||
    not_ended $? "dpkg did not complete the interrupted installation"
}
deb_install() { deb_get "$2" install --reinstall "$PACKAGE=$1"; }

# dnf, or yum where there is no dnf: both take the same arguments.
rpm_get() {
  local seconds=$1
  shift
  bounded "$seconds" package "$(command -v dnf || command -v yum)" -q -y "$@"
}

rpm_refresh() { rpm_get 300 --setopt=metadata_expire=0 makecache; }
rpm_fetch() { rpm_get "$2" "$(rpm_verb "$1")" --downloadonly "$PACKAGE-$1"; }

rpm_verb() {
  local found
  found=$(upgrade_py packages found)
  if [[ -z $found ]]; then
    echo install
  elif [[ $found == "$1" ]]; then
    echo reinstall
  elif upgrade_py packages newer "$found" "$1"; then
    echo downgrade
  else
    echo upgrade
  fi
}

# An interrupted transaction leaves two versions: the newest stays, because its files are on the disk.
rpm_heal() {
  local -a found
  mapfile -t found < <(rpm -q --qf '%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\n' "$PACKAGE" 2>/dev/null || true)
  while ((${#found[@]} > 1)); do
    log "two versions of $PACKAGE are installed; removing ${found[0]} from the database of rpm"
    bounded "$1" heal rpm -e --justdb --noscripts --notriggers --nodeps "$PACKAGE-${found[0]#*:}" ||
      refuse "$HOSTNAME has two versions of $PACKAGE in its rpm database: ${found[*]} (allowed: one); removing one failed: $(last_said); remove one by hand"
    found=("${found[@]:1}")
  done
}

# The package lists of the download come first: no repository has to answer while services are stopped.
rpm_install() {
  local verb
  verb=$(rpm_verb "$1")
  rpm_get "$2" --cacheonly "$verb" "$PACKAGE-$1" || rpm_get "$2" "$verb" "$PACKAGE-$1"
}

# The package reconfigures itself unless this file exists. A file that a person made stays.
readonly ours='made by changeover while the package is installed'

make_skip_file() {
  [[ -n $SKIP_FILE ]] || return 0
  require_own_path "$SKIP_FILE"
  [[ -e $SKIP_FILE ]] || write_file "$SKIP_FILE" <<<"$ours" ||
    timed_out "$SKIP_FILE is not written, and without it the package reconfigures itself; make room and run again"
}

# An installation that outlives this script still needs the file: then the next run removes it.
remove_skip_file() {
  [[ -n $SKIP_FILE && -e $SKIP_FILE && $(<"$SKIP_FILE") == "$ours" ]] || return 0
  flock -n "$(facts)/commands" rm -f "$SKIP_FILE" || true
}

# install_version VERSION SECONDS: the caller checks the result.
install_version() {
  "${kind}_heal" "$2"
  [[ $(installed_version) != "$1" ]] || return 0
  if [[ $kind == deb ]] && ! offers "$1"; then deb_refresh || true; fi
  log "installing $PACKAGE $1"
  "${kind}_install" "$1" "$2" || not_ended $? "the installation ended with $?"
}
