# Sourced by set-maintenance.sh: firewall rules, and connections with a request in flight.
# shellcheck shell=bash

# Removes the table, present or not.
no_rules() { printf 'table %s\ndelete table %s\n' "$table" "$table"; }

# rules WHICH-PACKETS: a table that rejects these packets. It replaces the old table at once.
rules() {
  local allowed=''
  [[ -z $ALLOWED ]] || allowed="ip saddr { ${ALLOWED// /, } } accept"
  no_rules
  printf 'table %s {\n  chain input {\n' "$table"
  printf '    type filter hook input priority -10; policy accept;\n    iif lo accept\n    %s\n' "$allowed"
  printf '    tcp dport %s %s reject with tcp reset\n  }\n}\n' "$PORT" "$1"
}

# Connections with a request in flight: the client sent last. ss leaves out counters and times that are 0.
in_flight() {
  ss -Hti state established "sport = :$PORT" | awk '
    function value(name) { return match($0, " " name ":[0-9]+") ? substr($0, RSTART + length(name) + 2, RLENGTH - length(name) - 2) + 0 : 0 }
    / rto:/ { busy += value("bytes_received") > 0 && (value("bytes_sent") == 0 || value("lastrcv") < value("lastsnd")) }
    END { print busy + 0 }'
}
