#!/usr/bin/env bash
# The preflight of the engine tests: the highest epoch of all roots, and one more.
# Usage: preflight.sh COMPONENT ROOT…
component=$1
shift
epoch=0
for root in "$@"; do
  claimed=$(sed -n 's/^epoch=//p' "$root/$component/claim" 2>/dev/null)
  ((${claimed:-0} > epoch)) && epoch=$claimed
done
cat >/dev/null
echo "$component may go on 0.00 | epoch=$((epoch + 1))"
