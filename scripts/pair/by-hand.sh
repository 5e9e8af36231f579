#!/usr/bin/env bash
# Switch a pair without Pulumi: the same steps and the same refusals.
# Usage: by-hand.sh PAIR VERB… [--dry-run]    (on its machines: changeover-PAIR VERB…)
#
#   status                     show both machines
#   prepare                    on the standby, if it copies files or a snapshot: copy now
#   switch-to-standby [ID]     on old production: fence it
#   switch-to-production ID    on new production: take over
#   follow ID                  on old production: stream from new production
#   alone                      on a standby whose production is dead: serve alone
#
# Each verb but status raises the epoch, so that an update with the old goal is refused.
# Each verb prints the next command. --dry-run prints the steps and runs none.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../lib.sh"
# shellcheck source=scripts/pair/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/pair/lib-carried.sh
. "$here/lib-carried.sh"
# shellcheck source=scripts/pair/lib-by-hand.sh
. "$here/lib-by-hand.sh"

readonly usage='by-hand.sh takes PAIR status|prepare|switch-to-standby [ID]|switch-to-production ID|follow ID|alone [--dry-run]'
# The default of maxLagMiB.
readonly max_lag_mib=16
dry_run=''

main() {
  [[ ${1:-} != --help && ${2:-} != --help ]] || { show_help && return; }
  [[ ${!#} != --dry-run ]] || { dry_run=1 && set -- "${@:1:$#-1}"; }
  (($# >= 2)) || misuse "$usage"
  local id=''
  load_pair "$1"
  require_own_cluster
  case "$2 $#" in
    'status 2') python3 "$here/show_pair.py" "$PAIR" ;;
    'prepare 2')
      claim "$(new_id)"
      step require-ready "$max_lag_mib"
      files near
      log "now on $PEER: changeover-$PAIR switch-to-standby $id"
      ;;
    'switch-to-standby 2' | 'switch-to-standby 3')
      claim "${3:-$(new_id)}"
      step fence
      log "now on $PEER: changeover-$PAIR switch-to-production $id"
      ;;
    'switch-to-production 3')
      claim "$3"
      if has_files; then step takeover files; else step takeover; fi
      services production
      finish production standby_as_production
      log "now on $PEER: changeover-$PAIR follow $id"
      next_with_pulumi
      ;;
    'follow 3')
      claim "$3"
      step follow
      services standby
      files near
      ! is_snapshot || step pause-standby
      finish production_as_standby standby
      ;;
    'alone 2')
      claim "$(new_id)"
      step serve-alone none
      services production
      finish production_alone production_alone
      next_with_pulumi "$PEER"
      ;;
    *) misuse "$usage" ;;
  esac
}

{
  main "$@"
  exit
}
