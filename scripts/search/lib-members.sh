# Sourced by the scripts that empty nodes of a search cluster.
# shellcheck shell=bash

# A name of a host, as the config allows it: it becomes a file of records and a key of the cluster's settings.
require_node() {
  [[ $1 =~ ^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$ ]] || misuse "\"$1\" is no name of a node"
}

# say_of PROGRAM WORD…: run a Python half; its words become the receipt. What it ends with ends this script.
say_of() {
  local said
  said=$(in_python "$@") || exit $?
  receipt_of "$said"
}
