# Sourced by scripts that need the main database, after lib.sh.
# shellcheck shell=bash

require_main() { [[ $MAIN == yes ]] || refuse "$HOSTNAME is not the main host of $NAME (main=${MAIN:-no}); only the main host can $1"; }

# Whether no data can be lost yet: no package, or a package that was never reconfigured.
no_database_yet() { [[ -z $(upgrade_py packages found) || $(value_of "$(database_record)" fresh) == yes ]]; }

# Whether the database answers; refuses if it rejects the login.
database_answers() {
  local rc=0
  upgrade_py database answers || rc=$?
  ((rc != 77)) || exit 77
  return "$rc"
}

# Start the database, alone, unless it runs.
have_database() {
  ! database_answers || return 0
  [[ -n $DATABASE_START ]] ||
    refuse "the database on $HOSTNAME does not run, and the setting database_start is empty; start the database and run again"
  run_line 120 database_start "$DATABASE_START"
  wait_until "the database on $HOSTNAME answers" 60 database_answers
}

# The record of the main database. Its schema: version; begun (a migration that has not ended); found (installed by somebody
# else); fresh (no schema yet). The backup to go back to, the backup under restore (restoring), the copy from before that
# restore, and the id of the transition that completed.
database_record() { printf '%s/reconfigured\n' "$(facts)"; }

# note KEY=VALUE…: into that record; an empty value removes the key.
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
  printf '%s' "$text" | write_file "$file" || timed_out "$* is not noted on $HOSTNAME; make room and run again"
}

# note_found: before the first change, record the schema that is already there.
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

# As require_stopped, but the database may run: an interrupted run may have started it.
require_stopped_but_database() {
  local service active=''
  while IFS= read -r service; do
    [[ -z $service || " $DATABASE_START " == *" ${service% *} "* ]] || active+="${active:+, }$service"
  done < <(active_services | sed 's/, /\n/g')
  [[ -z $active ]] || refuse "services of $HOSTNAME run: $active (allowed between stop and reconfigure: only the database); $(start_again)"
}
