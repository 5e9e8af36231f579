# Sourced by the scripts that take or give up the service address.
# shellcheck shell=bash

# Until this machine takes the address again, answer those who come to it with a reset: clients whose ARP still points
# here are refused at once instead of waiting for an answer that never comes. It holds nothing and serves nothing; a
# kernel that can't do it only costs those clients a second.
refuse_clients() {
  [[ $SERVICE_ADDRESS != none ]] || return 0
  nft -f - <<END || log "no resets for $SERVICE_ADDRESS: nft failed"
table inet changeover_$PAIR
delete table inet changeover_$PAIR
table inet changeover_$PAIR {
  chain refuse {
    type filter hook prerouting priority filter;
    ip daddr $SERVICE_ADDRESS tcp flags & (syn | ack) == syn reject with tcp reset
  }
}
END
}

give_up_address() {
  local shown
  [[ $SERVICE_ADDRESS != none ]] || return 0
  shown=$(ip -o address show to "$SERVICE_ADDRESS/32")
  [[ ! $shown =~ ^[0-9]+:\ *([^ @]+) ]] || ip address delete "$SERVICE_ADDRESS/32" dev "${BASH_REMATCH[1]}"
}

# take_address LINK: a machine that holds it already tells the network again.
take_address() {
  nft delete table inet "changeover_$PAIR" 2>/dev/null &
  ip address replace "$SERVICE_ADDRESS/32" dev "$1"
  wait $! || ! nft list table inet "changeover_$PAIR" >/dev/null 2>&1
}

# In a unit of its own: the last announcements come after the script.
announce_address() {
  systemd-run --quiet --collect --no-block python3 "$SCRIPTS/pair/arp.py" announce "$1" "$SERVICE_ADDRESS"
}

# From this epoch on this machine is production, or shall be: the other one steps down when it reads this. Until it is
# promoted (`serving_from_now`, once more) it has nothing newer than the other, and the record before is kept.
serving_soon() {
  local record
  record=$(records)/serving
  [[ $(value_of "$record" id) != "$CHANGEOVER_ID" ]] || return 0
  [[ ! -e $record || $(value_of "$record" promoted) == no ]] || cp "$record" "$record.before"
  printf 'id=%s\nepoch=%s\npromoted=no\n' "$CHANGEOVER_ID" "$(value_of "$(records)/claim" epoch)" | write_file "$record"
}
serving_from_now() {
  [[ $(value_of "$(records)/serving" id) != "$CHANGEOVER_ID" || $(value_of "$(records)/serving" promoted) == no ]] || return 0
  printf 'id=%s\nepoch=%s\n' "$CHANGEOVER_ID" "$(value_of "$(records)/claim" epoch)" | write_file "$(records)/serving"
}
