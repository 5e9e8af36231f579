# Sourced by scripts that need the database of the main host, after lib.sh.
# shellcheck shell=bash

require_main() { [[ $MAIN == yes ]] || refuse "$HOSTNAME is not the main host of $NAME (main=${MAIN:-no}); $1 is done there only"; }

# Whether there is nothing that could be lost: no package, or one that has never been reconfigured since it came.
no_database_yet() { [[ -z $(upgrade_py packages found) || $(value_of "$(database_record)" fresh) == yes ]]; }

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

# What the database was last brought to: version, begun (not ended yet), found (by whom we do not know), fresh (never); the backup
# to go back to, the one that is being put back (restoring) and the copy of before that; the id that has ended.
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

# note_found: before the first change, whose database it is.
note_found() {
  local found
  [[ $MAIN == yes && ! -s $(database_record) ]] || return 0
  found=$(upgrade_py packages found)
  if [[ -n $found ]]; then
    note "found=$found"
  elif [[ -z $(find "$FOLDER" -type f -print -quit 2>/dev/null) ]]; then
    note fresh=yes
  fi
}

# As require_stopped; but the database, which its start names, may have been started by a run that died.
require_stopped_but_database() {
  local one active=''
  while IFS= read -r one; do
    [[ -z $one || " $DATABASE_START " == *" ${one% *} "* ]] || active+="${active:+, }$one"
  done < <(active_services | sed 's/, /\n/g')
  [[ -z $active ]] || refuse "on $HOSTNAME there is $active, although all was stopped; allowed is nothing but the database; $(start_again)"
}
