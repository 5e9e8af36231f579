#!/usr/bin/env bash
# Retire this host as a server or client of shared volumes.
# Usage: retire.sh HOST STACK look|leave
#
# `look` prints that the host has a brick, and which volumes it mounts. `leave` ends neither: a brick is
# replaced or removed first, and a mount ends by its own transition. It ends the rules of GlusterFS's ports.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/lib-retire.sh
. "$here/../lib-retire.sh"
# shellcheck source=scripts/lib-rules.sh
. "$here/../lib-rules.sh"

look_at_bricks() {
  ! is_active glusterd || ! pgrep -x glusterfsd >/dev/null ||
    printf '%s\n' "has bricks of a shared volume: first remove the host from its \`servers\` or \`arbiter\`"
}

# By the kernel's list: a look at the folder itself would hang with a dead server.
look_at_mounts() {
  local path volume
  while read -r path volume; do
    volume=${volume##*:/}
    [[ -d $CHANGEOVER_ROOT/$volume-$HOST-mount ]] || continue
    ! is_ours "$volume-$HOST-mount" ||
      printf '%s\n' "mounts volume $volume at $path: first set it to \`none\` in \`mounts\`"
  done < <(findmnt -rn -t fuse.glusterfs -o TARGET,SOURCE 2>/dev/null || true)
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  know_order "$@"
  if [[ $3 == look ]]; then
    look_at_bricks
    look_at_mounts
  else
    systemctl disable --quiet --now changeover-gluster-pool.path 2>/dev/null || true
    rm -rf /etc/changeover/volumes /etc/systemd/system/changeover-gluster-pool.{path,service} /usr/local/lib/changeover/gluster
    drop_rules changeover-gluster
  fi
}

{
  main "$@"
  exit
}
