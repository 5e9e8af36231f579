# Sourced by the scripts of a search cluster: its names on this host, and its unit.
# shellcheck shell=bash

# shellcheck source=scripts/lib-names.sh
. "$SCRIPTS/lib-names.sh"

# shellcheck disable=SC2034
readonly SEARCH=${CHANGEOVER_SEARCH:-/etc/changeover/search}
# shellcheck disable=SC2034
CLUSTER='' UNIT='' VERSIONS=''

# load_cluster COMPONENT CLUSTER
load_cluster() {
  require_entry "$2"
  export CHANGEOVER_COMPONENT=$1
  # shellcheck disable=SC2034
  CLUSTER=$2 UNIT=changeover-search-$2.service VERSIONS=/opt/changeover-search/$2/versions
}

# in_python PROGRAM [WORD…]: a Python half of this folder, for this cluster.
in_python() { python3 -I "$SCRIPTS/search/$1.py" "$CLUSTER" "${@:2}"; }

is_version() { [[ $1 =~ ^[0-9]{1,3}(\.[0-9]{1,3}){2}$ ]]; }
