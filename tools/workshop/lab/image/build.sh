#!/bin/bash
# Builds a host image in DIR:        build.sh base DIR MIRROR SOURCES APT_CONF JARS
# Adds packages as a layer over it:  build.sh layer DIR MIRROR SOURCES APT_CONF LOWER PACKAGE...
# MIRROR may be empty (debootstrap's own). Runs in mount and process namespaces of its own, so that
# nothing stays mounted whenever it dies.
set -euo pipefail
if [ "${IN_NAMESPACE:-}" != yes ]; then
  IN_NAMESPACE=yes exec unshare --mount --pid --fork --kill-child --propagation private bash "$0" "$@"
fi
here=$(dirname "$(readlink -f "$0")")
kind=$1 dir=$2 mirror=$3 sources=$4 apt_conf=$5
machine_ca=/etc/ssl/certs/ca-certificates.crt
shift 5
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin

say() { echo "lab: image: $*" >&2; }

in_root() { chroot "$root" "$@"; }

enter_root() {
  mount -t proc proc "$root/proc"
  mount --bind /dev "$root/dev"
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
  chmod 755 "$root/usr/sbin/policy-rc.d"
  if [ -s "$sources" ]; then cp "$sources" "$root/etc/apt/sources.list"; fi
  cp "$apt_conf" "$root/etc/apt/apt.conf.d/machine"
  if [ -e "$machine_ca" ]; then cp "$machine_ca" "$root/machine-ca.crt"; fi
  cp -L /etc/resolv.conf "$root/etc/resolv.conf"
}

leave_root() {
  in_root apt-get clean
  rm -rf "$root"/var/lib/apt/lists/* "$root/etc/apt/apt.conf.d/machine" "$root/machine-ca.crt" \
    "$root/usr/sbin/policy-rc.d" "$root"/var/log/*.log "$root"/var/cache/debconf/*-old
  : >"$root/etc/resolv.conf"
  umount "$root/proc" "$root/dev"
}

install_packages() {
  say "reading the package lists"
  in_root apt-get -q update
  say "installing $*"
  in_root apt-get -q -y install "$@"
}

base() {
  root=$dir
  local jars=$1
  say "the base system (debootstrap bookworm${mirror:+ from the apt source of this machine})"
  debootstrap --foreign --variant=minbase --include=ca-certificates bookworm "$root" ${mirror:+"$mirror"}
  cp -r "$here/files/." "$root/"
  say "unpacking the base system"
  in_root /debootstrap/debootstrap --second-stage
  enter_root
  # shellcheck disable=SC2046
  install_packages $(cat "$here/packages")
  while read -r unit; do ln -sf /dev/null "$root/etc/systemd/system/$unit"; done <"$here/masked"
  # shellcheck disable=SC2046
  in_root systemctl --quiet disable $(cat "$here/disabled")
  in_root systemctl enable lab-network.service
  mv "$jars" "$root/opt/apollo"
  python3 -I "$here/hide-file-limit.py" "$root"/usr/lib/jvm/java-17-openjdk-*/lib/modules
  rm -rf "$root"/etc/ssh/ssh_host_* "$root"/usr/share/doc/* "$root"/usr/share/man/* "$root"/usr/share/locale/*
  ln -sf /etc/changeover-lab/hosts "$root/etc/hosts"
  leave_root
}

layer() {
  local lower=$1
  shift
  mkdir -p "$dir" "$dir.work" "$dir.merged"
  mount -t overlay overlay -o "lowerdir=$lower,upperdir=$dir,workdir=$dir.work" "$dir.merged"
  root=$dir.merged
  enter_root
  install_packages "$@"
  leave_root
  umount "$root"
  rm -rf "$dir.work" "$dir.merged"
}

case $kind in
  base) base "$@" ;;
  layer) layer "$@" ;;
  *) say "there is no \"$kind\": base or layer" && exit 64 ;;
esac
exit
