#!/usr/bin/env bash
# keepalived gave this host the service address: promote its server, if it is a standby.
# Usage: bench-promote     (keepalived adds words, which are not read)
#
# A planned switch promotes by itself, and fails when somebody else does so first.

set -euo pipefail

main() {
  cd /
  if pgrep -u postgres -f "standby switchover" >/dev/null; then exit 0; fi
  [[ $(runuser -u postgres -- psql -p @PORT@ -XAtc "select pg_is_in_recovery()" postgres) == t ]] || exit 0
  runuser -u postgres -- repmgr -f /etc/repmgr-@CLUSTER@.conf standby promote
}

{
  main "$@"
  exit
}
