#!/usr/bin/env bash
# Put back what t/act.sh did for a while.
# Usage: t/back.sh NAME

printf '%s back %s\n' "$EPOCHREALTIME" "$1" >>"$CHANGEOVER_ROOT/trace"
