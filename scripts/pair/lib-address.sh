# Sourced by the scripts that take or release the service address.
# shellcheck shell=bash

# Until this machine takes the service address again, answer its clients with a reset. A client whose ARP entry still
# points here is then refused at once, instead of waiting a second. When nft fails, such clients only wait.
refuse_clients() {
  [[ $SERVICE_ADDRESS != none ]] || return 0
  nft -f - <<END || log "nft failed: clients of $SERVICE_ADDRESS on $SELF get no reset"
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

# take_address LINK: safe to repeat on a machine that already holds the service address.
take_address() {
  nft delete table inet "changeover_$PAIR" 2>/dev/null &
  ip address replace "$SERVICE_ADDRESS/32" dev "$1"
  wait $! || ! nft list table inet "changeover_$PAIR" >/dev/null 2>&1
}

# announce_address LINK: in a unit of its own, since the last announcements come after the script has ended.
announce_address() {
  systemd-run --quiet --collect --no-block python3 "$SCRIPTS/pair/arp.py" announce "$1" "$SERVICE_ADDRESS"
}

# Record that this machine is about to be production from this epoch on: the peer steps down when it reads the record.
# Until the promotion (`serving_from_now`) this machine has nothing newer than its peer, so the earlier record is kept.
serving_soon() {
  local record
  record=$(records)/serving
  [[ $(value_of "$record" id) != "$CHANGEOVER_ID" ]] || return 0
  [[ ! -e $record || $(value_of "$record" promoted) == no ]] || write_file "$record.before" <"$record"
  printf 'id=%s\nepoch=%s\npromoted=no\n' "$CHANGEOVER_ID" "$(value_of "$(records)/claim" epoch)" | write_file "$record"
}
# This machine was not promoted: restore the earlier record of its last promotion.
not_serving() {
  if [[ -e $(records)/serving.before ]]; then mv "$(records)/serving.before" "$(records)/serving"; else rm -f "$(records)/serving"; fi
}
# Record that this machine was promoted at this epoch.
serving_from_now() {
  [[ $(value_of "$(records)/serving" id) != "$CHANGEOVER_ID" || $(value_of "$(records)/serving" promoted) == no ]] || return 0
  printf 'id=%s\nepoch=%s\n' "$CHANGEOVER_ID" "$(value_of "$(records)/claim" epoch)" | write_file "$(records)/serving"
}
