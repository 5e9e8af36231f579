#!/usr/bin/env bash
# Switch a pair by hand, when Pulumi is not at hand: the same steps, with the same refusals.
# Usage: by-hand.sh PAIR VERB… [--dry-run]    (on its machines: changeover-PAIR VERB…)
#
#   status                     what both machines are now
#   switch-to-standby          on production: fence it; prints what to type on the other
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

readonly usage='by-hand.sh takes PAIR status|switch-to-standby|switch-to-production ID|follow ID|alone [--dry-run]'
dry_run=''

# An id that carries its epoch, one more than any that this machine knows of, or the other if it answers.
new_id() { printf 'by-hand-%d-%04x\n' $(($(python3 "$here/show.py" "$PAIR" epoch) + 1)) "$RANDOM"; }

claim() {
  [[ $1 =~ ^by-hand-([0-9]+)-[0-9a-f]{4}$ ]] || misuse "$1 is no id that switch-to-standby printed"
  id=$1
  [[ -z $dry_run ]] || { log "would claim $SELF for $id" && return; }
  bash "$SCRIPTS/claim.sh" "$PAIR" switch "$id" "$(value_of "$(records)/stack" id)" "${BASH_REMATCH[1]}"
}

step() {
  [[ -z $dry_run ]] || { log "would run $*" && return; }
  bash "$SCRIPTS/step.sh" "$PAIR" switch "$id" 3600 "pair/$1" "$PAIR" "${@:2}" </dev/null
}

# finish STATUS-OF-PRIMARY STATUS-OF-SECONDARY
finish() {
  if [[ $SELF == "$PRIMARY" ]]; then step status "$1"; else step status "$2"; fi
  [[ -n $dry_run ]] || bash "$SCRIPTS/done.sh" "$PAIR" switch "$id"
}

# next_with_pulumi [LOST]
next_with_pulumi() {
  log "when Pulumi is at hand:${1:+ npx pulumi config set --path 'changeover:unreachable[0]' $1;}"
  log "  npx pulumi config set --path changeover:pairs.$PAIR.production $SELF; npx pulumi up"
}

main() {
  [[ ${1:-} != --help && ${2:-} != --help ]] || { show_help && return; }
  [[ ${!#} != --dry-run ]] || { dry_run=1 && set -- "${@:1:$#-1}"; }
  (($# >= 2)) || misuse "$usage"
  local id=''
  load_pair "$1"
  require_own_cluster
  case "$2 $#" in
    'status 2') python3 "$here/show.py" "$PAIR" ;;
    'switch-to-standby 2')
      claim "$(new_id)"
      step fence
      log "now on $PEER: changeover-$PAIR switch-to-production $id"
      ;;
    'switch-to-production 3')
      claim "$3"
      step takeover
      finish production standby_as_production
      log "now on $PEER: changeover-$PAIR follow $id"
      next_with_pulumi
      ;;
    'follow 3')
      claim "$3"
      step follow
      finish production_as_standby standby
      ;;
    'alone 2')
      claim "$(new_id)"
      step alone none
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
