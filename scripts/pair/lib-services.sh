# Sourced by configure.sh: what runs on this machine all the time.
# shellcheck shell=bash

# Scripts of their own, which no later release takes away while they run.
install_scripts() {
  local lib=$1
  rm -rf "$lib.new"
  mkdir -p "$lib.new"
  cp -a "$SCRIPTS/." "$lib.new/"
  rm -rf "$lib"
  mv "$lib.new" "$lib"
}

# start_service NAME WHAT
start_service() {
  local lib=/usr/local/lib/changeover/$PAIR unit=changeover-$1-$PAIR.service
  sed "s|@PAIR@|$PAIR|g; s|@LIB@|$lib|g; s|@NAME@|$1|g; s|@WHAT@|$2|g" "$here/service.unit" |
    write_file "/etc/systemd/system/$unit"
  systemctl daemon-reload
  systemctl enable --quiet "$unit"
  timeout 30 systemctl restart "$unit" || timed_out "$unit does not start"
}

# For a person on the machine: changeover-PAIR.
install_command() {
  printf '#!/bin/sh\nexec bash /usr/local/lib/changeover/%s/pair/by-hand.sh %s "$@"\n' "$PAIR" "$PAIR" |
    write_file "/usr/local/sbin/changeover-$PAIR" 0755
}

# The boot starts no server of the pair: the watch does, once it knows that this machine may serve.
start_services() {
  install_scripts "/usr/local/lib/changeover/$PAIR"
  install_command
  start_service peer 'Answers the other machine'
  start_service watch 'Starts the server at boot, and steps down for a newer production'
}
