#!/usr/bin/env bash
# Try what the user of an application can do to root: on a copy of this machine's files, in a namespace of its own.
# Usage: hostile-owner.sh SCRIPTS FOLDER links|race ROUNDS
#
# links: each component below the folders that an older release gave to the owner becomes a link to a canary; then every root step
# that gets a path is run. race: the owner exchanges them all the time while root takes the folders back. Prints what is wrong, a
# line each, and at last `tried N`.

set -uo pipefail
scripts=$1 folder=$2 what=$3 rounds=$4
readonly owner=expprodl uid=763 pool=/deploy/crossbow
canary_before=''

inside() {
  mount -t tmpfs tmpfs "$folder" && mkdir "$folder"/{upper,work,root} &&
    mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/upper,workdir=$folder/work" "$folder/root" &&
    mount --rbind /proc "$folder/root/proc" && mount --rbind /dev "$folder/root/dev" &&
    exec chroot "$folder/root" bash "$(realpath "$0")" "$scripts" "$folder" "in-$what" "$rounds"
}

looks() { (cd /canary && find . -printf '%p %U:%G %m %s %l\n' -type f -exec sha256sum {} + | sort); }

# The folders as an older release left them: with two releases, of which the first one serves.
arrange() {
  rm -rf /canary /deploy /tmp/records
  mkdir -p /canary/folder/bin /canary/styles
  echo "root's own" | tee /canary/file /canary/folder/file /canary/folder/bin/serve /canary/styles/site.css >/dev/null
  echo 1 >/canary/folder/REVISION
  chmod 0600 /canary/file
  mkdir -p "$pool"
  install -d -o "$owner" -g "$owner" "$pool"/{releases,archives,shared} "$pool"/shared/system{,/styles} "$pool"/releases/{1,2,3}{,/bin,/public,/public/styles}
  for revision in 1 2 3; do
    echo "$revision" >"$pool/releases/$revision/REVISION"
    cp -a /bin/true "$pool/releases/$revision/bin/serve"
  done
  chown -hR "$owner:$owner" "$pool"/{releases,archives,shared}
  ln -s releases/1 "$pool/current"
  mkdir -p "$CHANGEOVER_ROOT/c" "$CHANGEOVER_ROOT/crossbow/staged"
  printf 'id=7\nepoch=1\ntransition=t\n' >"$CHANGEOVER_ROOT/c/claim"
  for revision in 2 3; do
    printf 'sha256=%s\n' "$sha" >"$CHANGEOVER_ROOT/crossbow/staged/$revision"
    (cd "$pool/releases/$revision" && find . -type f -print0 | sort -z | xargs -0 sha256sum) >"$CHANGEOVER_ROOT/crossbow/staged/$revision.files"
  done
  canary_before=$(looks)
}

as_owner() { setpriv --reuid "$uid" --regid "$uid" --clear-groups "$@"; }

# What root does with paths on such a host, in its order; each may refuse, none may touch what is not the pool's.
root_steps() {
  local step=(env CHANGEOVER_COMPONENT=c CHANGEOVER_TRANSITION=t CHANGEOVER_ID=7 bash)
  "${step[@]}" "$scripts/app/stage-release.sh" c crossbow 2 "$sha" /archive.tar.gz
  "${step[@]}" "$scripts/app/run-release.sh" c crossbow 3 1
  python3 "$scripts/app/folders.py" "$pool" "$uid" "$uid" system/styles
  "${step[@]}" "$scripts/app/stage-release.sh" c crossbow 2 "$sha" /archive.tar.gz
  "${step[@]}" "$scripts/app/stage-release.sh" c crossbow 4 "$sha4" http://127.0.0.1:8099/archive4.tar.gz
  "${step[@]}" "$scripts/app/run-release.sh" c crossbow 2 1
  "${step[@]}" "$scripts/app/run-previous-release.sh" c crossbow 2 1
  "${step[@]}" "$scripts/app/set-maintenance.sh" c crossbow on 1
  "${step[@]}" "$scripts/app/set-maintenance.sh" c crossbow off
  CHANGEOVER_COMPONENT=c bash "$scripts/app/retire.sh" c this look
}

unchanged() {
  local now
  now=$(looks)
  [[ $now == "$canary_before" ]] || { printf 'wrong after %s:\n' "$1" && diff <(printf '%s\n' "$canary_before") <(printf '%s\n' "$now"); }
}

# Once root has taken the folders back, the owner has the target of the link and nothing else. Links have no rights of their own.
nothing_is_owners() {
  local left
  left=$(find "$pool" -path "$pool/shared/*" ! -path "$pool/shared/system" -prune -o ! -type l \( -user "$owner" -o -perm /022 -o -perm /6000 \) -print)
  [[ -z $left ]] || printf 'still of the owner after %s: %s\n' "$1" "${left//$'\n'/ }"
}

prepare() {
  export CHANGEOVER_ROOT=/tmp/records PATH=/usr/sbin:/usr/bin:/sbin:/bin
  id "$owner" >/dev/null 2>&1 || useradd --system --uid "$uid" --user-group --no-create-home "$owner"
  mkdir -p /etc/crossbow /archive/bin
  printf '%s\n' ADDRESS=127.0.0.1 PORT=8080 READY=/ready STATUS=200 "OWNER=$owner" OWNER_UID=$uid KEEP=2 LINKS=public/styles=system/styles >/etc/crossbow/crossbow.conf
  cp /bin/true /archive/bin/serve
  echo 2 >/archive/REVISION && tar -C /archive -czf /archive.tar.gz .
  echo 4 >/archive/REVISION && tar -C /archive -czf /archive4.tar.gz .
  ip link set lo up
  python3 -m http.server --directory / --bind 127.0.0.1 8099 >/dev/null 2>&1 &
  trap 'kill %1' EXIT
  sha=$(sha256sum /archive.tar.gz | cut -d ' ' -f 1) sha4=$(sha256sum /archive4.tar.gz | cut -d ' ' -f 1)
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
    sleep "0.0$((round % 10))"
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

case $what in
  in-*) prepare && "${what#in-}" ;;
  *) inside ;;
esac
