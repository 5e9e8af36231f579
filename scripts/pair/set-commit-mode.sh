#!/usr/bin/env bash
# Set whether production waits for the standby before it acknowledges a commit.
# Usage: set-commit-mode.sh PAIR synchronous|asynchronous    (stdin, if any: the secret of the checks)
#
# Tells the database the role of the check that follows, which an earlier release did not
# make. With `synchronous` an emergency loses no acknowledged commit, and commits wait while the
# standby is away. Refuses (77) on a machine that rejects writes.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/pair/lib-secrets.sh
. "$here/lib-secrets.sh"

peer_streams() {
  [[ $(sql "select count(*) from pg_stat_replication where application_name = '$PEER' and state = 'streaming'") == 1 ]]
}
is_synchronous() {
  [[ $(sql "select count(*) from pg_stat_replication where application_name = '$PEER' and sync_state = 'sync'") == 1 ]]
}

main() {
  [[ ${1:-} != --help ]] || { show_help && return; }
  [[ $# -eq 2 && $2 =~ ^a?synchronous$ ]] || misuse "set-commit-mode.sh takes PAIR synchronous|asynchronous, got: $*"
  local role secret=''
  load_pair "$1"
  [[ -t 0 ]] || IFS= read -r secret || true
  require_own_cluster
  know_role
  [[ $role == writer ]] || refuse "$SELF rejects writes; $(start_again)"
  [[ -z $secret ]] || { read_secrets checks <<<"checks=$secret" && tell_check_role && admit_checks; }
  if [[ $2 == asynchronous ]]; then
    commit_alone
  else
    wait_until "$PEER streams from $SELF" 30 peer_streams
    printf 'synchronous_standby_names = '\''"%s"'\''\n' "$PEER" | write_as_postgres "$COMMITS"
    reload_server
    wait_until "commits wait for $PEER" 30 is_synchronous
  fi
  receipt "commits on $SELF are $2"
}

{
  main "$@"
  exit
}
