# Sourced by scripts that need the database of the main host, after lib.sh.
# shellcheck shell=bash

require_main() { [[ $MAIN == yes ]] || refuse "$HOSTNAME is not the main host of $NAME (main=${MAIN:-no}); $1 is done there only"; }

# Whether the database answers; refuses when it does and lets nobody in.
database_answers() {
  local rc=0
  upgrade_py database answers || rc=$?
  ((rc != 77)) || exit 77
  return "$rc"
}

# Have the database run, by itself when nothing else does.
have_database() {
  ! database_answers || return 0
  [[ -n $DATABASE_START ]] ||
    refuse "the database on $HOSTNAME does not run, and the settings say no database_start; start it and run again"
  run_line 120 database_start "$DATABASE_START"
  wait_until "the database on $HOSTNAME answers" 60 database_answers
}

# The record of what the database was last brought to: version, begun, found, restoring, copy, backup, id.
database_record() { printf '%s/reconfigured\n' "$(facts)"; }

# note KEY=VALUE…: into that record; an empty value takes the key out.
note() {
  local file word key line text=''
  file=$(database_record)
  if [[ -e $file ]]; then
    while IFS= read -r line; do
      for word in "$@"; do [[ ${word%%=*} != "${line%%=*}" ]] || continue 2; done
      text+=$line$'\n'
    done <"$file"
  fi
  for word in "$@"; do
    key=${word%%=*}
    [[ $word == "$key=" ]] || text+=$word$'\n'
  done
  printf '%s' "$text" | write_file "$file"
}
