# Sourced by the scripts that take a node of a search cluster out of service.
# shellcheck shell=bash

# A name of a host, as the config allows it: it becomes a file of records and a key of the cluster's settings.
require_node() {
  [[ $1 =~ ^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$ ]] || misuse "\"$1\" is no name of a node"
}
