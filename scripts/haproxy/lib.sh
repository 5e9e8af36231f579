# Sourced by the scripts of a balancer.
# shellcheck shell=bash

# know_pool COMPONENT POOL: sets POOL, and BY: who acts, for the record of a server that is out for a while.
know_pool() {
  [[ $2 =~ ^[a-z0-9][a-z0-9-]*$ ]] || misuse "$2 is no name of a pool"
  export CHANGEOVER_COMPONENT=$1
  # shellcheck disable=SC2034
  POOL=$2 BY=$1:${CHANGEOVER_ID:-}
}

# put_back_after SECONDS SERVER: when nobody comes in 15 minutes after the SECONDS that are needed now.
put_back_after() {
  temporarily "drain-$2" $((900 + $1)) haproxy/back "$CHANGEOVER_COMPONENT" "$POOL" "$2"
}
