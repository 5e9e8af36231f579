#!/usr/bin/env bash
# Retire this host as a node of search clusters.
# Usage: retire.sh HOST STACK look|leave
#
# `look` prints each cluster that has a node here. `leave` removes rules, watches and units of nodes that are stopped;
# their data stays, and its folder is said.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/lib-retire.sh
. "$here/../lib-retire.sh"
# shellcheck source=scripts/lib-rules.sh
. "$here/../lib-rules.sh"

clusters() {
  local file
  for file in /etc/changeover/search/*.json; do
    file=${file##*/}
    [[ $file == '*.json' ]] || ! is_ours "${file%.json}" || printf '%s\n' "${file%.json}"
  done
}

look() {
  local cluster
  for cluster in $(clusters); do
    ! is_active "changeover-search-$cluster.service" ||
      printf '%s\n' "runs a node of search cluster $cluster: first set \`is: out\` in \`nodes\`; if all of it goes: systemctl disable --now changeover-search-$cluster"
  done
}

leave() {
  local cluster watch data all
  all=$(clusters)
  [[ -n $all ]] || return 0
  for cluster in $all; do
    watch=changeover-search-$cluster-watch
    data=$(sed -n 's/^ "data": "\(.*\)",$/\1/p' "/etc/changeover/search/$cluster.json")
    systemctl disable --quiet --now "$watch.timer" "changeover-search-$cluster.service" 2>/dev/null || true
    rm -f "/etc/systemd/system/$watch".{timer,service} "/etc/systemd/system/changeover-search-$cluster.service"
    rm -rf "/usr/local/lib/changeover/search-$cluster" "/run/changeover-search/$cluster.json" "/etc/changeover/search/$cluster" "/etc/changeover/search/$cluster.json"
    rm -rf "/var/cache/changeover-search-$cluster"
    drop_rules "changeover-search-$cluster"
    printf '%s\n' "$data"
  done
  systemctl daemon-reload
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  know_order "$@"
  if [[ $3 == leave ]]; then leave; else look; fi
}

{
  main "$@"
  exit
}
