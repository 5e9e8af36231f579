#!/usr/bin/env bash
# Allow only servers and hosts with a mount at this server's ports of GlusterFS: glusterd's, and those of bricks.
# Usage: allow-hosts.sh COMPONENT VOLUME ADDRESS…
#
# ADDRESSes are those of VOLUME. Present servers of the trusted pool are allowed too, and for a volume that
# Changeover does not operate the hosts that use it now. Ports of other programs stay as they are.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/lib-rules.sh
. "$here/../lib-rules.sh"

readonly ALLOWED=/etc/changeover/volumes BRICK_PORTS=49152-60999

# Ports in the range of bricks where other programs listen.
other_ports() {
  ss -Hltnp | awk -v first="${BRICK_PORTS%-*}" -v last="${BRICK_PORTS#*-}" '
    { sub(/.*:/, "", $4) } $4 >= first && $4 <= last && !/"gluster/ { print $4 }' | sort -u | paste -sd,
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# >= 3)) || misuse "allow-hosts.sh takes COMPONENT VOLUME ADDRESS…, got: $*"
  export CHANGEOVER_COMPONENT=$1
  local allowed ports
  printf '%s\n' "${@:3}" | write_file "$ALLOWED/$2"
  allowed=$(python3 -I "$here/allowed.py" "$ALLOWED")
  ports=$(other_ports)
  keep_rules changeover-gluster <<TEXT
table inet changeover-gluster {
  chain input {
    type filter hook input priority filter; policy accept;
    iifname "lo" accept
    ct state established,related accept
    ip saddr { $allowed } accept
    ${ports:+tcp dport { $ports \} accept}
    tcp dport { 24007, 24008, $BRICK_PORTS } reject with tcp reset
  }
}
TEXT
  receipt "$HOSTNAME lets ${allowed//,/, } reach GlusterFS, and no other host"
}

{
  main "$@"
  exit
}
