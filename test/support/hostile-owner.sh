#!/usr/bin/env bash
# Try what the user of an application can do to root: on a copy of this machine's files, in a namespace of its own.
# Usage: hostile-owner.sh SCRIPTS FOLDER links|race ROUNDS
#
# links: each component below the folders that an older release gave to the owner becomes a link to a canary; then every root step
# that gets a path is run. race: the owner exchanges them all the time while root takes the folders back. Prints what is wrong, a
# line each, and at last `tried N`.

set -uo pipefail
scripts=$1 folder=$2 what=$3 rounds=$4
# shellcheck source=test/support/lib-hostile-owner.sh
. "$(dirname "$(realpath "$0")")/lib-hostile-owner.sh"

inside() {
  mount -t tmpfs tmpfs "$folder" && mkdir "$folder"/{upper,work,root} &&
    mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/upper,workdir=$folder/work" "$folder/root" &&
    mount --rbind /proc "$folder/root/proc" && mount --rbind /dev "$folder/root/dev" &&
    exec chroot "$folder/root" bash "$(realpath "$0")" "$scripts" "$folder" "in-$what" "$rounds"
}

# Where an older release let the owner place a link; the first ones were ways to root.
readonly places=(releases/3/public archives/crossbow-4.tar.gz.part releases/.4.partial shared/system releases/2 shared/system/styles
  releases/{1,3,4,.2.partial} releases/2/{bin,bin/serve,public,public/styles,public/styles.found,public/styles.shipped,REVISION}
  releases/3/{bin,bin/serve,public/styles,REVISION} archives/crossbow-{2,4}.tar.gz archives/crossbow-2.tar.gz.part)

links() {
  local path target tried=0
  for path in "${places[@]}"; do
    for target in /canary/folder /canary/file /canary/styles; do
      ((tried < rounds)) || break 2
      arrange
      # shellcheck disable=SC2016
      as_owner bash -c 'rm -rf "$1" && mkdir -p "${1%/*}" && ln -s "$2" "$1"' _ "$pool/$path" "$target"
      root_steps >/tmp/said 2>&1
      unchanged "$path -> $target"
      ((++tried))
      # A few rounds are spent on many places, not on many targets.
      ((rounds > ${#places[@]})) || break
    done
  done
  printf 'tried %s\n' "$tried"
}

# The owner's half of the race: whatever it may still do, as fast as it can.
exchange() {
  # It ends by itself, whatever becomes of the test.
  while ((SECONDS < 20)); do
    for name in releases/2 releases/3/public releases/3/bin/serve shared/system archives/x releases/.2.partial; do
      mv "$pool/$name" "$pool/$name.mine" && ln -s /canary/folder "$pool/$name"
      rm -f "$pool/$name" && mv "$pool/$name.mine" "$pool/$name"
      ln /canary/file "$pool/$name.hard"
      cp /bin/true "$pool/releases/3/suid" && chmod 6777 "$pool/releases/3/suid" "$pool/releases/3"
    done
  done
}

race() {
  local round owners
  export pool
  for ((round = 1; round <= rounds; round++)); do
    arrange
    (exec setpriv --reuid "$uid" --regid "$uid" --clear-groups bash -c "$(declare -f exchange); exchange" >/dev/null 2>&1) &
    owners=$!
    read -rt "0.0$((round % 10))" _ <> <(:) || true
    until python3 "$scripts/app/folders.py" "$pool" "$uid" "$uid" system/styles >/tmp/said 2>&1; do
      # A link in the place of shared/system is refused; a person moves it away.
      grep -q 'is a link' /tmp/said || { cat /tmp/said && break; }
      rm -f "$pool/shared/system" && mkdir -p "$pool/shared/system"
    done
    kill -9 "$owners" && wait "$owners" 2>/dev/null
    unchanged "race $round"
    nothing_is_owners "race $round"
  done
  printf 'tried %s\n' "$rounds"
}

main() {
  case $what in
    in-*) prepare && "${what#in-}" ;;
    *) inside ;;
  esac
}

{
  main "$@"
  exit
}
