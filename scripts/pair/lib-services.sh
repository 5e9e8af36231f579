# Sourced by configure.sh: the two services that run on each machine of a pair, their scripts and the command.
# shellcheck shell=bash

# shellcheck source=scripts/lib-rules.sh
. "$SCRIPTS/lib-rules.sh"

# install_scripts FOLDER: the services run from a copy of their own, which no later release removes.
install_scripts() {
  local lib=$1
  rm -rf "$lib.new"
  install -d -m 0755 -o root -g root /usr/local/lib/changeover "$lib.new"
  # Root runs them for ever: they are not of the account that copied them here.
  (umask 022 && cp -r --no-preserve=ownership,mode "$SCRIPTS/." "$lib.new/")
  # Monitoring that was set up with an older release calls it by this name.
  ln -s check-copy-age.sh "$lib.new/pair/copies.sh"
  rm -rf "$lib"
  mv "$lib.new" "$lib"
}

# install_service NAME DESCRIPTION
install_service() {
  local lib=/usr/local/lib/changeover/$PAIR unit=changeover-$1-$PAIR.service
  sed "s|@PAIR@|$PAIR|g; s|@LIB@|$lib|g; s|@NAME@|$1|g; s|@WHAT@|$2|g" "$here/service.unit" |
    write_file "/etc/systemd/system/$unit"
  systemctl daemon-reload
  systemctl enable --quiet "$unit"
  timeout 30 systemctl restart "$unit" || timed_out "$unit does not start within 30 s"
}

# The command changeover-PAIR, for a person on the machine.
install_command() {
  printf '#!/bin/sh\nexec bash /usr/local/lib/changeover/%s/pair/by-hand.sh %s "$@"\n' "$PAIR" "$PAIR" |
    write_file "/usr/local/sbin/changeover-$PAIR" 0755
}

# Tells the watch that an upgrade of the package stopped the server, and not a person.
mark_stops_by_package() {
  # shellcheck disable=SC2153
  printf '%s\n' '[Service]' "ExecStopPost=-/usr/bin/python3 -I /usr/local/lib/changeover/$PAIR/pair/package_stop.py $PAIR" |
    write_file "/etc/systemd/system/$UNIT.service.d/changeover.conf"
}

# Besides the peer nobody gets as far as the programs that answer it and offer it files; where nft fails the program turns others away itself.
# An earlier release had a table of another family and a file of its own for it.
admit_peer_only() {
  local ports
  ports=$({ echo "$PEER_PORT" && offered_ports; } | paste -sd ,)
  (keep_rules "changeover-peer-$PAIR") <<END || log "nft failed: ports $ports of $SELF are open, and only the programs behind them turn others away"
table inet changeover-peer-$PAIR {
  chain input {
    type filter hook input priority filter;
    iif != lo tcp dport { $ports } ip saddr != $PEER_ADDRESS drop
  }
}
END
  rm -f "/etc/$PAIR/peer.nft"
  ! nft list table ip "changeover_$PAIR" >/dev/null 2>&1 || nft delete table ip "changeover_$PAIR"
}

# The boot does not start the pair's server. The watch starts it, once it knows that this machine may serve.
install_services() {
  install_scripts "/usr/local/lib/changeover/$PAIR"
  install_command
  mark_stops_by_package
  admit_peer_only
  install_service peer 'Answers the other machine'
  install_service watch 'Starts the server at boot, and steps down for a newer production'
}
