# Sourced by scripts about a mount of a shared volume: `VOLUME` and `MOUNT` are theirs.
# shellcheck shell=bash

# shellcheck disable=SC2154 # set by whoever sources this
readonly GLUSTER=$here MARKER=.changeover/volume

# What this host was told of the mount, for the check and for whoever comes by night.
mount_file() { printf '/etc/changeover/mounts/%s\n' "$VOLUME"; }

unit_of() { systemd-escape --path --suffix=mount "$1"; }

# Whether VOLUME is mounted at PATH now; a folder that only looks so is none.
is_mounted() {
  local what
  what=$(findmnt -rnM "$1" -t fuse.glusterfs -o SOURCE 2>/dev/null | tail -n 1) && [[ $what == *":/$VOLUME" ]]
}

# A dead server must not hang the script with the mount.
marker_of() { timeout 5 cat "$1/$MARKER" 2>/dev/null; }
has_marker() { [[ $(marker_of "$1") == "volume=$VOLUME"* ]]; }
answers() { timeout 5 stat -t "$1" >/dev/null 2>&1; }

refuse_users() {
  local users
  users=$(timeout 20 python3 "$GLUSTER/users.py" "$1")
  [[ -z $users ]] ||
    refuse "$1 on $HOSTNAME is in use by ${users//$'\n'/, }; take the server out of its pool first (changeover:appPools), or stop what uses it"
}

# A mount whose servers are gone does not end by itself.
unmount() {
  is_mounted "$1" || return 0
  refuse_users "$1"
  log "unmounting $1"
  require_claim
  systemctl stop "$(unit_of "$1")" || umount -l "$1"
}

unit_text() {
  local first=$1 rest=$2
  cat <<EOF
[Unit]
Description=Shared volume $VOLUME
Wants=network-online.target
After=network-online.target glusterd.service

[Mount]
What=$first:/$VOLUME
Where=$MOUNT
Type=glusterfs
Options=_netdev${rest:+,backup-volfile-servers=${rest//,/:}},attribute-timeout=0.5,entry-timeout=0.5,log-level=WARNING,log-file=/var/log/glusterfs/mount-$VOLUME.log
TimeoutSec=90

[Install]
WantedBy=remote-fs.target
EOF
}

# The server on this host comes first: it answers without a network.
write_unit() {
  local server own='' rest=''
  for server in ${1//,/ }; do
    if [[ -z $own && -n $(ip -o address show to "$server/32" 2>/dev/null) ]]; then own=$server; else rest+=,$server; fi
  done
  rest=${rest#,}
  [[ -n $own ]] || { own=${rest%%,*} && rest=${rest#"$own"} && rest=${rest#,}; }
  unit_text "$own" "$rest" | write_file "/etc/systemd/system/$(unit_of "$MOUNT")"
  systemctl daemon-reload
}

# have_owner OWNER [NUMBER GROUP]: the user, with the numbers that it has in the volume.
have_owner() {
  local owner=$1 uid=${2:-} gid=${3:-}
  if ! id -u "$owner" >/dev/null 2>&1; then
    log "making the user $owner${uid:+ with number $uid}"
    [[ -z $gid ]] || getent group "$owner" >/dev/null || groupadd --gid "$gid" "$owner"
    useradd --create-home --shell /bin/bash ${uid:+--uid "$uid" --gid "$gid"} "$owner"
  fi
  [[ ${uid:-$(id -u "$owner")}.${gid:-$(id -g "$owner")} == "$(id -u "$owner").$(id -g "$owner")" ]] ||
    refuse "$owner is $(id -u "$owner").$(id -g "$owner") on $HOSTNAME, but $uid.$gid in $VOLUME; give it the same numbers on every host"
}

# Whoever mounts first marks the volume and hands it over: `ln` says no when another host was quicker.
mark() {
  local owner=$1 new=$MOUNT/$MARKER.$HOSTNAME
  has_marker "$MOUNT" || {
    have_owner "$owner"
    mkdir -p "$MOUNT/${MARKER%/*}"
    printf 'volume=%s\nid=%s\nowner=%s\nuid=%s\ngid=%s\n' "$VOLUME" \
      "$(od -An -N8 -tx8 /dev/urandom | tr -d ' ')" "$owner" "$(id -u "$owner")" "$(id -g "$owner")" >"$new"
    ! ln -T "$new" "$MOUNT/$MARKER" 2>/dev/null || chown "$owner:" "$MOUNT"
    rm -f "$new"
  }
  wait_until "the mark of $VOLUME is seen at $MOUNT" 20 has_marker "$MOUNT"
  have_owner "$owner" "$(value_of "$MOUNT/$MARKER" uid)" "$(value_of "$MOUNT/$MARKER" gid)"
}
