#!/usr/bin/env bash
# This host as a server or a client of shared volumes, when it goes out of service.
# Usage: retire.sh HOST STACK look|leave
#
# `look` says on stdout that a brick is still here, and which volume is still mounted. Neither is ended
# by `leave`: a brick is replaced or removed first, a mount is left by way of its own transition.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/lib-retire.sh
. "$here/../lib-retire.sh"

look_at_bricks() {
  ! is_active glusterd || ! pgrep -x glusterfsd >/dev/null ||
    printf '%s\n' "has bricks of a shared volume: take it out of \`servers\` there first"
}

# The list of the kernel is read: a look at the folder would hang with a dead server.
look_at_mounts() {
  local path volume
  while read -r path volume; do
    volume=${volume##*:/}
    [[ -d $CHANGEOVER_ROOT/$volume-$HOST-mount ]] || continue
    ! is_ours "$volume-$HOST-mount" ||
      printf '%s\n' "has volume $volume mounted at $path: make it \`none\` in \`mounts\` there first"
  done < <(findmnt -rn -t fuse.glusterfs -o TARGET,SOURCE 2>/dev/null || true)
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  know_order "$@"
  if [[ $3 == look ]]; then
    look_at_bricks
    look_at_mounts
  fi
}

{
  main "$@"
  exit
}
