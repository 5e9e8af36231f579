# Sourced by the scripts of a cache: its files on this machine, its server.
# shellcheck shell=bash

readonly CACHES=/etc/changeover/caches
# shellcheck disable=SC2034
CACHE='' UNIT='' TABLE='' ADDRESS='' PORT='' MEMORY_MIB='' CONNECTIONS='' CLIENTS=''

# know_cache COMPONENT CACHE
know_cache() {
  [[ $2 =~ ^[a-z][a-z0-9_]*$ ]] || misuse "$2 is no name of a cache"
  export CHANGEOVER_COMPONENT=$1
  CACHE=$2 UNIT=changeover-memcached-$2.service TABLE=changeover-memcached-$2
}

# Read what configure.sh told this node, as variables.
load_node() {
  local file=$CACHES/$CACHE.node key value
  [[ -r $file ]] || refuse "$HOSTNAME has no $file; it is no node of $CACHE"
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

# What runs here; empty when nothing does. A program that was upgraded since is another one.
running_command() {
  local pid
  pid=$(server_pid) || return 0
  [[ $(readlink "/proc/$pid/exe") != *' (deleted)' ]] || printf 'an older '
  tr '\0' ' ' <"/proc/$pid/cmdline" | sed 's/ $//'
}

is_as_configured() { [[ $(running_command) == "$(wanted_command)" ]]; }

answers() { python3 "$SCRIPTS/memcached/reach.py" "$ADDRESS:$PORT" 2>/dev/null; }

# Nobody but the clients comes through, and the machine itself. Written whole, so that no packet finds it half made.
# With the port of a server that runs with another one still, until it is restarted.
write_rules() {
  local ports clients=''
  [[ -z $CLIENTS ]] || clients="ip saddr != { $CLIENTS }"
  ports=$(printf '%s\n' "$PORT" "$(running_command | sed -n 's/.* -p \([0-9]*\) .*/\1/p')" | sort -u | paste -sd, | sed 's/^,//')
  write_file "$CACHES/$CACHE.nft" <<TEXT
table inet $TABLE
delete table inet $TABLE
table inet $TABLE {
  chain input {
    type filter hook input priority filter; policy accept;
    iifname "lo" accept
    tcp dport { $ports } $clients reject with tcp reset
    udp dport { $ports } reject
  }
}
TEXT
  nft -f "$CACHES/$CACHE.nft"
}

# A drop-in that a person made is stronger than the unit.
require_as_configured() {
  local others
  others=$(ss -Hltn "sport = :$PORT" |
    awk -v own="$ADDRESS" '{ sub(/:[0-9]+$/, "", $4); if ($4 != own && $4 != "127.0.0.1") print $4 }' | paste -sd' ')
  [[ -z $others ]] ||
    refuse "$HOSTNAME listens on $others port $PORT too, for others than the clients of $CACHE (allowed: $ADDRESS and 127.0.0.1); see: systemctl cat $UNIT"
  is_as_configured ||
    refuse "$HOSTNAME runs $(running_command), to be $(wanted_command); see: systemctl cat $UNIT"
}
