#!/usr/bin/env bash
# keepalived asks whether this host's server accepts writes.
# Usage: bench-accepts-writes

set -euo pipefail

main() {
  cd /
  [[ $(runuser -u postgres -- psql -p @PORT@ -XAtc "select pg_is_in_recovery()" postgres) == f ]]
}

{
  main "$@"
  exit
}
