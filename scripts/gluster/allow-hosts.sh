#!/usr/bin/env bash
# Allow only servers and hosts with a mount at this server's ports of GlusterFS: glusterd's, and those of bricks.
# Usage: allow-hosts.sh COMPONENT VOLUME ADDRESS…
#
# ADDRESSes are those of VOLUME. Servers of the trusted pool are allowed while they are in it, and for a volume
# that Changeover does not operate the hosts that use it now. Ports of other programs stay as they are.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/lib-rules.sh
. "$here/../lib-rules.sh"

readonly ALLOWED=/etc/changeover/volumes FIRST_PORT=49152 LAST_PORT=60999
readonly CLOSE_PORTS=/usr/local/lib/changeover/gluster/close-ports.py POOL_UNIT=changeover-gluster-pool

# Ports in the range of bricks where other programs listen.
other_ports() {
  ss -Hltnp | awk -v first=$FIRST_PORT -v last=$LAST_PORT '
    { sub(/.*:/, "", $4) } $4 >= first && $4 <= last && !/"gluster/ { print $4 }' | sort -u
}

# A change of the pool is many changes of its files within a second: none of them may be over a limit.
pool_unit() {
  cat <<EOF
[Unit]
Description=Servers of GlusterFS's trusted pool are let in, and no others (Changeover)
StartLimitIntervalSec=0

[$1]
$2
EOF
}

# A server that joins must be let in by servers that this step does not run on.
follow_pool() {
  write_file "$CLOSE_PORTS" 0755 <"$here/close-ports.py"
  pool_unit Service "Type=oneshot"$'\n'"ExecStart=/usr/bin/python3 -I $CLOSE_PORTS --write" | write_file "/etc/systemd/system/$POOL_UNIT.service"
  pool_unit Path "PathChanged=/var/lib/glusterd/peers"$'\n\n[Install]\nWantedBy=paths.target' | write_file "/etc/systemd/system/$POOL_UNIT.path"
  systemctl daemon-reload
  systemctl enable --quiet "$POOL_UNIT.path"
  systemctl restart "$POOL_UNIT.path"
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  (($# >= 3)) || misuse "allow-hosts.sh takes COMPONENT VOLUME ADDRESS…, got: $*"
  export CHANGEOVER_COMPONENT=$1
  printf '%s\n' "${@:3}" | write_file "$ALLOWED/$2"
  other_ports | write_file "$ALLOWED/other.ports"
  python3 -I "$here/seen-clients.py" "$ALLOWED"
  follow_pool
  python3 -I "$here/close-ports.py" | keep_rules changeover-gluster
  receipt "$HOSTNAME lets $(($# - 2)) hosts of $2 and the servers of the trusted pool reach GlusterFS, and no others"
}

{
  main "$@"
  exit
}
