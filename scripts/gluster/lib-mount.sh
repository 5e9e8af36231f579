# Sourced by scripts about a mount of a shared volume. They set `VOLUME` and `MOUNT`.
# shellcheck shell=bash

# shellcheck disable=SC2154 # set by the script that sources this
readonly GLUSTER=$here

# The settings of the mount on this host, for the mount check and for operators.
mount_file() { printf '/etc/changeover/mounts/%s\n' "$VOLUME"; }

unit_of() { systemd-escape --path --suffix=mount "$1"; }

# is_mounted PATH: whether VOLUME is mounted there now, by the kernel's list.
is_mounted() {
  local what
  what=$(findmnt -rnM "$1" -t fuse.glusterfs -o SOURCE 2>/dev/null | tail -n 1) && [[ $what == *":/$VOLUME" ]]
}

# Each look through the mount has a limit: a dead server must not hang the script. The volume belongs to its owner, so
# the marker is read and written by handles.
marker_of() { timeout 5 python3 -I "$GLUSTER/marker.py" read "$1" 2>/dev/null; }
has_marker() { [[ $(marker_of "$1") == "volume=$VOLUME"* ]]; }
answers() { timeout 5 stat -t "$1" >/dev/null 2>&1; }

refuse_users() {
  local users
  users=$(timeout 20 python3 -I "$SCRIPTS/users.py" "$1")
  [[ -z $users ]] ||
    refuse "$1 on $HOSTNAME is in use by ${users//$'\n'/, }; take the server out of its pool first (changeover:appPools), or stop these processes"
}

# Lazily where the stop fails: a mount without servers can't be unmounted in order.
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

# write_unit SERVER,SERVER…: this host's own server comes first, since it needs no network.
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

# require_owner OWNER [UID GID]: create the user if it is missing; require the ids that it has in the volume.
require_owner() {
  local owner=$1 uid=${2:-} gid=${3:-}
  if ! id -u "$owner" >/dev/null 2>&1; then
    log "creating user $owner${uid:+ with id $uid}"
    [[ -z $gid ]] || getent group "$owner" >/dev/null || groupadd --gid "$gid" "$owner"
    useradd --create-home --shell /bin/bash ${uid:+--uid "$uid" --gid "$gid"} "$owner"
  fi
  [[ ${uid:-$(id -u "$owner")}.${gid:-$(id -g "$owner")} == "$(id -u "$owner").$(id -g "$owner")" ]] ||
    refuse "$owner is $(id -u "$owner").$(id -g "$owner") on $HOSTNAME, but $uid.$gid in $VOLUME; give it the same ids on every host"
}

# marked KEY: what the marker says.
marked() { sed -n "s/^$1=//p" <<<"$(marker_of "$MOUNT")" | head -n 1; }

# The first host writes the marker and gives the volume to OWNER; where another host was first, its marker stays.
mark() {
  local owner=$1
  has_marker "$MOUNT" || {
    require_owner "$owner"
    printf 'volume=%s\nid=%s\nowner=%s\nuid=%s\ngid=%s\n' "$VOLUME" \
      "$(od -An -N8 -tx8 /dev/urandom | tr -d ' ')" "$owner" "$(id -u "$owner")" "$(id -g "$owner")" |
      timeout 20 python3 -I "$GLUSTER/marker.py" write "$MOUNT" "$HOSTNAME" || refuse "the marker of $VOLUME on $HOSTNAME can't be written, see above"
    chown -h "$(marked owner):" "$MOUNT"
  }
  wait_until "$MOUNT shows the marker of $VOLUME" 20 has_marker "$MOUNT"
  require_owner "$owner" "$(marked uid)" "$(marked gid)"
}
