# Sourced by the steps whose work is done in Python: its words become the receipt.
# shellcheck shell=bash

# said_by PROGRAM [WORD…]: run it as a child of this very process, since it dies with its parent: no half of a step goes on alone.
said_by() {
  local said
  said=$(records)/said-$1
  mkdir -p "$(records)"
  in_python "$@" >"$said"
  receipt_of "$(<"$said")"
  rm -f "$said"
}
