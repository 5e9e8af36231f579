# Sourced by the scripts that copy the pair's cluster from the peer.
# shellcheck shell=bash

# Sets `places`: the peer's tablespaces, `OID PATH` a line. A path of the peer is checked before anything is done with it.
know_tablespaces() {
  local oid path
  places=$(peer_sql "select oid || ' ' || pg_tablespace_location(oid) from pg_tablespace where pg_tablespace_location(oid) like '/%'") ||
    timed_out "PostgreSQL on $PEER does not answer"
  while read -r oid path; do
    [[ -z $oid ]] || [[ $oid =~ ^[0-9]{1,10}$ && $path =~ ^/[A-Za-z0-9._/-]+$ && $path/ != *'/../'* ]] ||
      refuse "$PEER has a tablespace at $path, which can't be copied; allowed: a path of letters, digits and . _ / -"
    [[ -z $oid || -d $path ]] || make_tablespace "$path"
  done <<<"$places"
}

make_tablespace() {
  require_own_path "$1"
  log "making $1 on $SELF, where $PEER has a tablespace"
  install -d -o postgres -g postgres -m 0700 "$1"
}

# A folder that is a mount point can't be set aside, or replaced by a copy.
require_movable() {
  ! mountpoint -q "$DATA" ||
    refuse "$DATA on $SELF is a mount point, so no copy can take its place; mount that disk at ${DATA%/*} instead, with the data in its folder $PAIR"
}

# require_room FOLDER KIB: a copy that fills the disk would stop the running server.
require_room() {
  local room
  room=$(df -k --output=avail "$1" | tail -n 1)
  ((room > $2 + $2 / 10 + 102400)) ||
    refuse "$1 on $SELF has $room KiB free (needed: $2 KiB of $PEER, 10 % and 100 MiB); make room, or move old data away that is not needed: $(old_data)"
}

# Data on this machine that a person may move away, in words.
old_data() {
  local -a found=()
  mapfile -t found < <(ls -d "$DATA" "$DATA".aside-* 2>/dev/null)
  echo "${found[*]:-none}"
}

# copy_from_peer DRAFT [OPTION…]: copy the cluster into folder DRAFT, so that a half copy never counts as data. Each tablespace
# is copied into a folder beside its data. Sets `places`.
copy_from_peer() {
  local draft=$1 oid path need
  local -a moved=()
  require_movable
  make_data_parent
  as_postgres rm -rf "$draft"
  know_tablespaces
  need=$(peer_says "$A_NUMBER" "select (coalesce(pg_tablespace_size('pg_default'), 0) + coalesce(pg_tablespace_size('pg_global'), 0)) / 1024") ||
    timed_out "PostgreSQL on $PEER does not answer"
  require_room "${DATA%/*}" "$need"
  while read -r oid path; do
    [[ -n $oid ]] || continue
    as_postgres rm -rf "$path/changeover.copying"
    need=$(peer_says "$A_NUMBER" "select pg_tablespace_size($oid) / 1024") || timed_out "PostgreSQL on $PEER does not say how large $path is"
    require_room "$path" "$need"
    moved+=("--tablespace-mapping=$path=$path/changeover.copying")
  done <<<"$places"
  log "copying the cluster of $PEER"
  as_postgres "$PG_BIN/pg_basebackup" -d "$(peer_server)" -D "$draft" -X stream "${moved[@]}" "${@:2}" --checkpoint=fast --progress 2>&1 |
    tr '\r' '\n' | awk '!/kB \(/ || systime() - last >= 5 { print "  " $0; fflush(); last = systime() }' >&2 ||
    timed_out "the copy of the cluster of $PEER failed"
  as_postgres touch "$draft/standby.signal"
}

# put_in_place DRAFT ASIDE: the draft becomes the data of this machine, whose server is stopped; what was there becomes ASIDE,
# and in each tablespace a folder of that name. Nothing is deleted. With tablespaces it is no single act: until its end the
# record `rewinding` stops every start, and the next follow.sh copies anew.
put_in_place() {
  local draft=$1 aside=$2 oid path old
  [[ -z $places ]] || echo copy | write_file "$(records)/rewinding"
  while read -r oid path; do
    [[ -n $oid ]] || continue
    old=$path/changeover.aside-${aside##*.aside-}
    as_postgres mkdir -m 0700 "$old"
    as_postgres find "$path" -mindepth 1 -maxdepth 1 -name 'PG_*' -exec mv -t "$old" {} +
    as_postgres find "$path/changeover.copying" -mindepth 1 -maxdepth 1 -name 'PG_*' -exec mv -t "$path" {} +
    as_postgres rmdir "$path/changeover.copying"
    if as_postgres rmdir "$old" 2>/dev/null; then :; else log "the old data of $path on $SELF is set aside as $old"; fi
    as_postgres ln -sfn "$path" "$draft/pg_tblspc/$oid"
  done <<<"$places"
  if [[ -e $DATA ]]; then
    # The draft gets the name of what is set aside before both change places, so that a crash never takes old data for a draft.
    as_postgres mv -T "$draft" "$aside"
    change_places "$aside" "$DATA"
    as_postgres chmod 0700 "$aside"
    # An empty folder needs no keeping.
    as_postgres rmdir "$aside" 2>/dev/null || true
  else
    as_postgres mv -T "$draft" "$DATA"
  fi
  as_postgres sync "${DATA%/*}"
}

# change_places FOLDER FOLDER: exchange both in one act, so that a crash never leaves the data folder empty.
change_places() {
  as_postgres /usr/bin/python3 -I - "$@" <<'END'
import ctypes, os, sys
AT_FDCWD, RENAME_EXCHANGE = -100, 2
first, second = (os.fsencode(path) for path in sys.argv[1:])
libc = ctypes.CDLL(None, use_errno=True)
if libc.renameat2(AT_FDCWD, first, AT_FDCWD, second, RENAME_EXCHANGE):
    sys.exit(os.strerror(ctypes.get_errno()))
END
}
