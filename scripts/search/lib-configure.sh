# Sourced by configure-node.sh: user, folders, keystore, plan, unit and rules of a node.
# shellcheck shell=bash disable=SC2153

# A cluster without snapshots has no such fact.
REPO=''

# A unit, a user or a folder of this name that an earlier run of ours has not made is another program's.
require_own_names() {
  local path
  path=$(systemctl show -P FragmentPath "$UNIT" 2>/dev/null) || path=''
  [[ -z $path ]] || grep -qsx "Description=$CLUSTER, a search node (Changeover)" "$path" ||
    refuse "$path on $HOSTNAME is a unit of another program; give the cluster another name; nothing was changed"
}

# Facts as variables; each was checked by pattern before it was written.
know_node() {
  local line
  while IFS= read -r line; do
    [[ $line =~ ^(OWNER|OWNER_UID|DATA|LOGS|REPO|ENGINE|VERSION|STOP|PORT|TRANSPORT_PORT)=([A-Za-z0-9._/@+-]+)$ ]] || misuse "wrong fact: $line"
    printf -v "${BASH_REMATCH[1]}" '%s' "${BASH_REMATCH[2]}"
  done <"${1%/*}/variables"
}

# Snapshots on a shared volume belong to a user ID, so it is the same on every node.
have_owner() {
  local uid
  if uid=$(id -u "$OWNER" 2>/dev/null); then
    [[ $uid == "$OWNER_UID" ]] ||
      refuse "user $OWNER has user ID $uid on $HOSTNAME (allowed: $OWNER_UID, the cluster's ownerUid); change one of them"
    return 0
  fi
  uid=$(getent passwd "$OWNER_UID" | cut -d: -f1) || uid=''
  [[ -z $uid ]] || refuse "user ID $OWNER_UID on $HOSTNAME is that of $uid (needed: free for $OWNER, the cluster's owner); name another ownerUid"
  log "adding user $OWNER with user ID $OWNER_UID"
  useradd --system --uid "$OWNER_UID" --user-group --no-create-home --home-dir "$DATA" --shell /usr/sbin/nologin "$OWNER" >&2
}

# The folders are the node's account's; all above them is root's. One that is there and another's stays as it is.
have_folders() {
  local folder whose
  for folder in "$DATA" "$LOGS"; do
    [[ ! -L $folder ]] || refuse "$folder on $HOSTNAME is a link; name the folder itself"
    mkdir -p "${folder%/*}"
    require_own_path "${folder%/*}"
    if [[ -e $folder ]]; then
      whose=$(stat -c %U "$folder")
      if [[ $whose == root && -z $(ls -A "$folder") ]]; then
        chown "$OWNER:$OWNER" "$folder"
      elif [[ $whose != "$OWNER" ]]; then
        refuse "$folder on $HOSTNAME belongs to $whose (allowed: $OWNER, or an empty folder of root); name another folder"
      fi
    else
      install -d -m 0750 -o "$OWNER" -g "$OWNER" "$folder"
    fi
  done
}

# The folder of snapshots belongs to the node's account on every host. In a folder of that account it is made as that account;
# a folder above that belongs to somebody else again is a shared one, where a person makes it.
have_repo() {
  local above=${REPO%/*}
  [[ -n $REPO ]] || return 0
  [[ ! -L $REPO ]] || refuse "$REPO on $HOSTNAME is a link; name the folder itself"
  if [[ ! -e $REPO && $(stat -c %U "$above" 2>/dev/null) == "$OWNER" ]]; then
    runuser -u "$OWNER" -- mkdir "$REPO" || refuse "$REPO can't be made on $HOSTNAME; see the words above"
  elif [[ ! -e $REPO ]]; then
    mkdir -p "$above"
    require_own_path "$above"
    install -d -m 0750 -o "$OWNER" -g "$OWNER" "$REPO"
  elif [[ $(stat -c %U "$REPO") == root && -z $(ls -A "$REPO") ]]; then
    require_own_path "$above"
    chown "$OWNER:$OWNER" "$REPO"
  fi
  [[ -d $REPO && $(stat -c %U "$REPO") == "$OWNER" ]] ||
    refuse "$REPO on $HOSTNAME belongs to $(stat -c %U "$REPO") (allowed: $OWNER); make it a folder of $OWNER, user ID $OWNER_UID, for snapshots"
}

# The engine would make a keystore in its configuration, which it can't write. One with secrets is kept from plan to plan.
have_keystore() {
  local name=$ENGINE.keystore old=$SEARCH/$CLUSTER/current made
  if [[ -f $old/$name && ! -L $old/$name ]]; then
    cp --no-dereference "$old/$name" "$1/$name"
  else
    made=$(runuser -u "$OWNER" -- mktemp -d /tmp/changeover-keystore.XXXXXX)
    runuser -u "$OWNER" -- env -C "$made" "${ENGINE^^}_PATH_CONF=$made" "ES_PATH_CONF=$made" "JAVA_HOME=$(java_home)" \
      "$VERSIONS/$VERSION/bin/$ENGINE-keystore" create </dev/null >&2 || made+=/none
    [[ $made != */none ]] || { runuser -u "$OWNER" -- rm -rf "${made%/none}" && refuse "no keystore can be made with version $VERSION on $HOSTNAME; its words are above"; }
    runuser -u "$OWNER" -- head -c 1048576 "$made/$name" >"$1/$name"
    runuser -u "$OWNER" -- rm -rf "$made"
  fi
  chown "root:$OWNER" "$1/$name" && chmod 0640 "$1/$name"
}

# Debian's, where the distribution has none of its own.
java_home() {
  local java
  if [[ -x $VERSIONS/$VERSION/jdk/bin/java ]]; then
    printf '%s\n' "$VERSIONS/$VERSION/jdk"
  else
    java=$(readlink -f /usr/bin/java) || refuse "$HOSTNAME has no Java; run npx pulumi up"
    printf '%s\n' "${java%/bin/java}"
  fi
}

# place_plan DRAFT MARK: a plan with this mark has these very texts, so one that is there stays, with its keystore.
place_plan() {
  local plan=$SEARCH/$CLUSTER/plans/$2 old
  printf 'JAVA_HOME=%s\n' "$(java_home)" >>"$1/environment"
  if [[ ! -d $plan ]]; then
    chmod 0755 "$1" && sync -f "$1"
    mv -T "$1" "$plan.new" && rm -rf "$plan" && mv -T "$plan.new" "$plan"
    mkdir "$1" && cp "$plan/unicast_hosts.txt" "$1/"
  fi
  # The unit starts `launch` of the present plan too, which an earlier release of this program has not written.
  for old in "$plan" "$SEARCH/$CLUSTER/current"; do
    [[ ! -d $old || -x $old/launch ]] || in_python launch "$old" "$OWNER"
  done
  ln -sfn "plans/$2" "$SEARCH/$CLUSTER/.next.new" && mv -T "$SEARCH/$CLUSTER/.next.new" "$SEARCH/$CLUSTER/next"
  sync "$SEARCH/$CLUSTER"
  # The newest five stay, and the two that are named.
  for old in $(cd "$SEARCH/$CLUSTER/plans" && find . -mindepth 1 -maxdepth 1 -printf '%T@ %f\n' | sort -rn | tail -n +6 | cut -d' ' -f2); do
    [[ $old == "$2" || $old == "$(basename "$(readlink "$SEARCH/$CLUSTER/current")")" ]] || rm -rf "${SEARCH:?}/$CLUSTER/plans/$old"
  done
}

# Members come and go: every plan has the addresses of today, and a running node reads them again by itself.
spread_hosts() {
  local plan
  for plan in "$SEARCH/$CLUSTER"/plans/*/; do write_file "${plan}unicast_hosts.txt" <"$1"; done
}

write_unit() {
  local text
  text=$(sed "s|@CLUSTER@|$CLUSTER|g; s|@OWNER@|$OWNER|g; s|@CONFIG@|$SEARCH/$CLUSTER|g; s|@DATA@|$DATA|g; s|@LOGS@|$LOGS|g; s|@REPO@|${REPO:+ -$REPO}|g; s|@STOP@|$STOP|g" "$SCRIPTS/search/node.unit")
  [[ $(cat "/etc/systemd/system/$UNIT" 2>/dev/null) != "$text" ]] || return 0
  write_file "/etc/systemd/system/$UNIT" <<<"$text"
  systemctl daemon-reload
}

# Members reach both ports, clients the one for requests, and this host itself both. A file a line: `member A`, `client N`.
node_rules() {
  local members clients
  members=$(sed -n 's/^member //p' "$1" | paste -sd, -) clients=$(sed -n 's/^client //p' "$1")
  printf 'table inet changeover-search-%s {\n  chain input {\n    type filter hook input priority filter; policy accept;\n    iifname "lo" accept\n' "$CLUSTER"
  printf '    tcp dport { %s, %s } ip saddr { %s } accept\n' "$PORT" "$TRANSPORT_PORT" "$members"
  while IFS= read -r network; do [[ -z $network ]] || printf '    tcp dport %s ip saddr %s accept\n' "$PORT" "$network"; done <<<"$clients"
  printf '    tcp dport { %s, %s } reject with tcp reset\n  }\n}\n' "$PORT" "$TRANSPORT_PORT"
}
