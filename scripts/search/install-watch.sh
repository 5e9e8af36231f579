#!/usr/bin/env bash
# Install the watch that puts lapsed leases of a search cluster back, on a node's host.
# Usage: install-watch.sh COMPONENT CLUSTER
#
# A timer looks each 10 s at what a run has changed for a while, and puts it back when that run died. It runs
# a copy of root's own, and lasts over reboots. See: journalctl -u changeover-search-CLUSTER-watch

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/search/lib.sh
. "$here/lib.sh"

readonly parts=(cluster index_block leases scratch settings watch_leases)

service_text() {
  printf '%s\n' '[Unit]' "Description=Lapsed leases of search cluster $CLUSTER are put back (Changeover)" 'After=network.target' \
    '[Service]' 'Type=oneshot' 'TimeoutStartSec=600' "ExecStart=/usr/bin/python3 -I $copy/watch_leases.py $CLUSTER"
}

timer_text() {
  printf '%s\n' '[Unit]' "Description=Leases of search cluster $CLUSTER (Changeover)" '[Timer]' 'OnActiveSec=0' 'OnBootSec=5' \
    'OnUnitInactiveSec=10' 'AccuracySec=1' '[Install]' 'WantedBy=timers.target'
}

# put FILE: stdin, when the file says something else; `changed` counts.
put() {
  local text
  text=$(cat)
  [[ ! -e $1 || $text != "$(<"$1")" ]] || return 1
  write_file "$1" <<<"$text"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 2 ]] || misuse "install-watch.sh takes COMPONENT CLUSTER, got: $*"
  load_cluster "$1" "$2"
  require_claim
  local part changed='' watch=changeover-search-$CLUSTER-watch copy=/usr/local/lib/changeover/search-$CLUSTER
  require_own_path "$copy" /etc/systemd/system
  for part in "${parts[@]}"; do ! put "$copy/$part.py" <"$here/$part.py" || changed=1; done
  python3 -I "$copy/watch_leases.py" --help >/dev/null || refuse "the watch of $CLUSTER can't start on $HOSTNAME: see its words above"
  ! put "/etc/systemd/system/$watch.service" < <(service_text) || changed=1
  ! put "/etc/systemd/system/$watch.timer" < <(timer_text) || changed=1
  if [[ -z $changed ]] && systemctl is-active --quiet "$watch.timer" && systemctl is-enabled --quiet "$watch.timer"; then
    receipt "$HOSTNAME watches the leases of $CLUSTER"
    return
  fi
  systemctl daemon-reload
  systemctl enable --quiet "$watch.timer"
  systemctl restart "$watch.timer"
  wait_until "$watch.timer on $HOSTNAME is active" 10 systemctl is-active --quiet "$watch.timer"
  receipt "$HOSTNAME watches the leases of $CLUSTER, each 10 s"
}

{
  main "$@"
  exit
}
