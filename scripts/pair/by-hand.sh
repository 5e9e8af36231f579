#!/usr/bin/env bash
# Switch a pair by hand, when Pulumi is not at hand: the same steps, with the same refusals.
# Usage: by-hand.sh PAIR VERB… [--dry-run]    (on its machines: changeover-PAIR VERB…)
#
#   status                     what both machines are now
#   prepare                    on the standby, where it copies files or a snapshot: near
#   switch-to-standby [ID]     on production: fence it; prints what to type on the other
#   switch-to-production ID    on the other: take over
#   follow ID                  on the first again: stream from the new production
#   alone                      on a standby whose production is dead: serve without it
#
# Each raises the epoch, so that an update under the old goal is refused, and ends with
# what to type next. --dry-run says what would run.

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
dry_run=''

main() {
  [[ ${1:-} != --help && ${2:-} != --help ]] || { show_help && return; }
  [[ ${!#} != --dry-run ]] || { dry_run=1 && set -- "${@:1:$#-1}"; }
  (($# >= 2)) || misuse "$usage"
  local id=''
  load_pair "$1"
  require_own_cluster
  case "$2 $#" in
    'status 2') python3 "$here/show.py" "$PAIR" ;;
    'prepare 2')
      claim "$(new_id)"
      step ready 16
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
      ! is_snapshot || step apart
      finish production_as_standby standby
      ;;
    'alone 2')
      claim "$(new_id)"
      step alone none
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
