# Sourced by the libraries of areas whose scripts get the name of an entry.
# shellcheck shell=bash

# The rule of the config (entryNames in config/common-fields.ts): names become names of files, units and records.
require_entry() {
  [[ $1 =~ ^[a-z][a-z0-9_]{0,30}$ ]] || misuse "\"$1\" is no name; allowed: at most 31 of a-z, 0-9 and _, beginning with a letter"
}
