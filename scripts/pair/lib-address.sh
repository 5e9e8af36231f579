# Sourced by the scripts that take or give up the service address.
# shellcheck shell=bash

# Until this machine takes the address again, answer TCP to it with a reset: clients whose ARP still points here are
# refused at once instead of waiting for an answer that never comes. It holds nothing and serves nothing.
give_up_address() {
  [[ $SERVICE_ADDRESS != none ]] || return 0
  nft -f - <<END
table inet changeover_$PAIR
delete table inet changeover_$PAIR
table inet changeover_$PAIR {
  chain refuse {
    type filter hook prerouting priority filter;
    ip daddr $SERVICE_ADDRESS tcp flags != rst reject with tcp reset
  }
}
END
  ! holds_address || ip address delete "$SERVICE_ADDRESS/32" dev "$(service_interface)"
}

take_address() {
  [[ $SERVICE_ADDRESS != none ]] || return 0
  local link
  link=$(service_interface)
  ip address replace "$SERVICE_ADDRESS/32" dev "$link"
  # Detached: its last word comes after the receipt.
  setsid --fork python3 "$SCRIPTS/pair/arp.py" announce "$link" "$SERVICE_ADDRESS" </dev/null >/dev/null 2>&1 9>&-
  nft -f - <<END
table inet changeover_$PAIR
delete table inet changeover_$PAIR
END
}
