#!/bin/bash
# Runs one local host until it is powered off or killed, and starts it again when it reboots:
#   supervise.sh HOSTDIR CGROUP LOWER PORT BRIDGE
# It is started in a mount namespace of its own, so that the host's mounts vanish with its last process, whoever
# ends it. CGROUP is a path below the root of the version 2 hierarchy, which is mounted here whatever the machine
# itself has: then nspawn does the same on every machine. The arguments of nspawn are in HOSTDIR/nspawn.
set -uo pipefail
dir=$1 cgroup=/sys/fs/cgroup/${2#/} lower=$3 port=$4 bridge=$5
exec 9>>"$dir/running"
flock --nonblock 9 || exit 0

fail() {
  echo "$1" >&2
  exit 1
}

# Waits for the host's end of the cable, and plugs it in unless it is cut.
plug() {
  exec 9>&-
  local end=$((SECONDS + 20))
  until [ -e "/sys/class/net/$port" ]; do
    [ $SECONDS -lt $end ] || fail "$port did not appear"
    sleep 0.02
  done
  [ -e "$dir/cut" ] || ip link set "$port" master "$bridge" up
}

# The same upper directory may be busy for a moment while the kernel takes down the mounts of a killed start.
mount_root() {
  local end=$((SECONDS + 10))
  until mount -t overlay overlay -o "lowerdir=$lower,upperdir=$dir/upper,workdir=$dir/work" "$dir/root"; do
    [ $SECONDS -lt $end ] || fail "the host's file system cannot be mounted"
    sleep 0.2
  done
}

main() {
  [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ] || mount -t cgroup2 cgroup2 /sys/fs/cgroup ||
    fail "cgroup version 2 cannot be mounted on this machine"
  mkdir -p "$cgroup/watch" "$cgroup/machine" /run/systemd/nspawn
  echo $$ >"$cgroup/watch/cgroup.procs" || fail "no process can be put in $cgroup"
  mount -t tmpfs tmpfs /run/systemd/nspawn
  mount_root
  mapfile -d '' -t args <"$dir/nspawn"
  local code=133
  while [ $code -eq 133 ]; do
    plug &
    bash -c 'echo $$ >"$0/machine/cgroup.procs" && exec systemd-nspawn "$@"' "$cgroup" "${args[@]}" \
      </dev/null >"$dir/console.log" 2>&1
    code=$?
    kill $! 2>/dev/null
    echo "the host ended with exit code $code"
  done
}

main
exit
