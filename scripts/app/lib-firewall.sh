# Sourced by configure.sh and set-maintenance.sh: who reaches the application, and connections with a request in flight.
# shellcheck shell=bash

table() { printf 'inet changeover_%s\n' "$POOL"; }

# Rules of the open port, and of the closed one; the second file is there in maintenance only. The unit loads both at its start.
access_file() { printf '%s/access.nft\n' "$(facts)"; }
closed_file() { printf '%s/firewall.nft\n' "$(facts)"; }

# no_rules [TABLE]: removes the table, present or not.
no_rules() { printf 'table %s\ndelete table %s\n' "${1:-$(table)}" "${1:-$(table)}"; }

# accepting ADDRESSES: a rule for each, since a set takes no network that contains another one.
accepting() {
  local address
  printf '    iif lo accept\n'
  for address in $1; do printf '    ip saddr %s accept\n' "$address"; done
}

# rules WHO WHICH-PACKETS: a table that rejects these packets of all but WHO. It replaces the old table at once.
rules() {
  no_rules
  printf 'table %s {\n  chain input {\n    type filter hook input priority -10; policy accept;\n' "$(table)"
  accepting "$1"
  printf '    tcp dport %s %s reject with tcp reset\n  }\n}\n' "$PORT" "$2"
}

# open_rules: who reaches the port when the server is not in maintenance. Without balancers, as an older release has it, everybody.
open_rules() { if [[ -n $BALANCERS ]]; then rules "$BALANCERS $ALLOWED" ''; else no_rules; fi; }

# strangers SECONDS: who else uses the port meanwhile. HAProxy checks a server four times a second.
strangers() {
  local look
  look="$(table)_look"
  {
    no_rules "$look"
    printf 'table %s {\n  set seen { type ipv4_addr; flags dynamic; size 64; }\n  chain input {\n' "$look"
    printf '    type filter hook input priority -11; policy accept;\n'
    accepting "$BALANCERS $ALLOWED"
    printf '    tcp dport %s add @seen { ip saddr }\n  }\n}\n' "$PORT"
  } | nft -f -
  pause "$1"
  # shellcheck disable=SC2086
  nft list set $look seen | grep -oE '[0-9]+(\.[0-9]+){3}' | sort -u | paste -sd ' '
  no_rules "$look" | nft -f -
}

# Close the port to all but balancers, this machine and ALLOWED, once nobody else uses it: a balancer with a second address would
# lose its servers.
have_access() {
  local file others=''
  file=$(access_file)
  if [[ -n $BALANCERS && $(cat "$file" 2>/dev/null) != "$(open_rules)" && -n $(running) ]]; then others=$(strangers 2); fi
  [[ -z $others ]] ||
    refuse "${others// /, } on the network use(s) port $PORT of $HOSTNAME, and is no balancer of $POOL; add it to \`allowed\` of the pool, or stop it; the port stays as it is"
  open_rules | write_file "$file"
  if [[ -e $(closed_file) ]]; then
    rules "$ALLOWED" '' | write_file "$(closed_file)"
    file=$(closed_file)
  fi
  nft -f "$file"
  nftables_keeps | write_file "/etc/systemd/system/nftables.service.d/changeover-$POOL.conf"
}

# nftables.service flushes every table when it starts, reloads and stops; these come back at once.
nftables_keeps() {
  local when
  printf '[Service]\n'
  for when in ExecStartPost ExecReload ExecStopPost; do
    printf '%s=-/usr/sbin/nft -f %s\n' "$when" "$(access_file)" "$when" "$(closed_file)"
  done
}

# Connections with a request in flight: the client sent last. ss leaves out counters and times that are 0.
in_flight() {
  ss -Hti state established "sport = :$PORT" | awk '
    function value(name) { return match($0, " " name ":[0-9]+") ? substr($0, RSTART + length(name) + 2, RLENGTH - length(name) - 2) + 0 : 0 }
    / rto:/ { busy += value("bytes_received") > 0 && (value("bytes_sent") == 0 || value("lastrcv") < value("lastsnd")) }
    END { print busy + 0 }'
}
