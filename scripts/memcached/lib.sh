# Sourced by the scripts of a cache: its files and its memcached on this host.
# shellcheck shell=bash

# shellcheck source=scripts/lib-rules.sh
. "$SCRIPTS/lib-rules.sh"

readonly CACHES=/etc/changeover/caches
# shellcheck disable=SC2034
CACHE='' UNIT='' TABLE='' ADDRESS='' PORT='' MEMORY_MIB='' CONNECTIONS='' CLIENTS=''

# know_cache COMPONENT CACHE
know_cache() {
  [[ $2 =~ ^[a-z][a-z0-9_]*$ ]] || misuse "$2 is not a name of a cache"
  export CHANGEOVER_COMPONENT=$1
  CACHE=$2 UNIT=changeover-memcached-$2.service TABLE=changeover-memcached-$2
}

# Read the settings that configure-node.sh wrote, as variables.
load_node() {
  local file=$CACHES/$CACHE.node key value
  [[ -r $file ]] || refuse "$HOSTNAME has no $file, so $HOSTNAME is not a node of $CACHE"
  while IFS='=' read -r key value; do printf -v "$key" '%s' "$value"; done <"$file"
}

wanted_command() {
  printf '/usr/bin/memcached -l %s,127.0.0.1 -p %s -U 0 -m %s -c %s\n' "$ADDRESS" "$PORT" "$MEMORY_MIB" "$CONNECTIONS"
}

server_pid() {
  local pid
  pid=$(systemctl show --property=MainPID --value "$UNIT")
  [[ ${pid:-0} != 0 ]] && printf '%s\n' "$pid"
}

# The command of the running memcached; empty when none runs. It begins with `an older` when the program was upgraded since.
running_command() {
  local pid
  pid=$(server_pid) || return 0
  [[ $(readlink "/proc/$pid/exe") != *' (deleted)' ]] || printf 'an older '
  tr '\0' ' ' <"/proc/$pid/cmdline" | sed 's/ $//'
}

is_as_configured() { [[ $(running_command) == "$(wanted_command)" ]]; }

answers() { python3 -I "$SCRIPTS/memcached/reach.py" "$ADDRESS:$PORT" 2>/dev/null; }

# Accept only the clients and this host itself.
# A memcached that still runs on an earlier port keeps its rules until its restart.
write_rules() {
  local ports clients=''
  [[ -z $CLIENTS ]] || clients="ip saddr != { $CLIENTS }"
  ports=$(printf '%s\n' "$PORT" "$(running_command | sed -n 's/.* -p \([0-9]*\) .*/\1/p')" | sort -u | paste -sd, | sed 's/^,//')
  keep_rules "$TABLE" <<TEXT
table inet $TABLE {
  chain input {
    type filter hook input priority filter; policy accept;
    iifname "lo" accept
    tcp dport { $ports } $clients reject with tcp reset
    udp dport { $ports } reject
  }
}
TEXT
}

# Another drop-in of the unit wins over its settings, so the running command is compared.
require_as_configured() {
  local foreign
  foreign=$(ss -Hltn "sport = :$PORT" |
    awk -v own="$ADDRESS" '{ sub(/:[0-9]+$/, "", $4); if ($4 != own && $4 != "127.0.0.1") print $4 }' | paste -sd' ')
  [[ -z $foreign ]] ||
    refuse "$HOSTNAME also listens on $foreign port $PORT (allowed: $ADDRESS and 127.0.0.1); see: systemctl cat $UNIT"
  is_as_configured ||
    refuse "$HOSTNAME runs $(running_command) (expected: $(wanted_command)); see: systemctl cat $UNIT"
}
