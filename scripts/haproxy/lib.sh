# Sourced by the scripts of a balancer.
# shellcheck shell=bash

# shellcheck source=scripts/lib-names.sh
. "$SCRIPTS/lib-names.sh"

# know_pool COMPONENT POOL: sets POOL, and BY, the transition that records of moving servers name.
know_pool() {
  require_entry "$2"
  export CHANGEOVER_COMPONENT=$1
  # shellcheck disable=SC2034
  POOL=$2 BY=$1:${CHANGEOVER_ID:-}
}

# undo_drain_after SECONDS SERVER: a timer undoes the drain of SERVER if no later step follows within SECONDS.
undo_drain_after() {
  temporarily "drain-$2" "$1" haproxy/undo-drain "$CHANGEOVER_COMPONENT" "$POOL" "$2"
}
