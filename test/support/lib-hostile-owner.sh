# Sourced by hostile-owner.sh: a host of an older release, what root does there, and what is wrong afterwards.
# shellcheck shell=bash

readonly owner=expprodl uid=763 pool=/deploy/crossbow
canary_before=''

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
