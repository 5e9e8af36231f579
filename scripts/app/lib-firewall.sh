# Sourced by firewall.sh: the rules, and who is in the middle of a request.
# shellcheck shell=bash

# Takes the table away whether or not it is there.
no_rules() { printf 'table %s\ndelete table %s\n' "$table" "$table"; }

# rules WHICH-PACKETS: the table that replaces the one before it in one go.
rules() {
  local allowed=''
  [[ -z $ALLOWED ]] || allowed="ip saddr { ${ALLOWED// /, } } accept"
  no_rules
  printf 'table %s {\n  chain input {\n' "$table"
  printf '    type filter hook input priority -10; policy accept;\n    iif lo accept\n    %s\n' "$allowed"
  printf '    tcp dport %s %s reject with tcp reset\n  }\n}\n' "$PORT" "$1"
}

# Connections whose last word was the client's: a request is in flight. ss leaves out what is 0, ms too.
in_flight() {
  ss -Hti state established "sport = :$PORT" | awk '
    function of(name) { return match($0, " " name ":[0-9]+") ? substr($0, RSTART + length(name) + 2, RLENGTH - length(name) - 2) + 0 : 0 }
    / rto:/ { busy += of("bytes_received") > 0 && (of("bytes_sent") == 0 || of("lastrcv") < of("lastsnd")) }
    END { print busy + 0 }'
}
