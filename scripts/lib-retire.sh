# Sourced by the retire.sh of every area: who asks, and whose a record is.
# shellcheck shell=bash

# know_order HOST STACK look|leave: sets HOST and STACK. What an area says on stdout is an answer, a line each: to look, why
# the host may not go yet; to leave, where data was left.
know_order() {
  [[ $# -eq 3 && $3 =~ ^(look|leave)$ ]] || misuse "retire.sh takes HOST STACK look|leave, got: $*"
  export CHANGEOVER_COMPONENT=$1
  HOST=$1 STACK=$2
}

# is_ours COMPONENT: no other stack operates it on this host.
is_ours() {
  local owner
  owner=$(value_of "$CHANGEOVER_ROOT/$1/stack" id)
  [[ -z $owner || $owner == "$STACK" ]] || { log "$1 is operated by stack $owner, left as it is" && return 1; }
}

is_active() { systemctl is-active --quiet "$1" 2>/dev/null; }
