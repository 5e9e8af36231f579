# Sourced by configure.sh: the two services that run on each machine of a pair, their scripts and the command.
# shellcheck shell=bash

# install_scripts FOLDER: the services run from a copy of their own, which no later release removes.
install_scripts() {
  local lib=$1
  rm -rf "$lib.new"
  mkdir -p "$lib.new"
  cp -a "$SCRIPTS/." "$lib.new/"
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

# The boot does not start the pair's server. The watch starts it, once it knows that this machine may serve.
install_services() {
  install_scripts "/usr/local/lib/changeover/$PAIR"
  install_command
  install_service peer 'Answers the other machine'
  install_service watch 'Starts the server at boot, and steps down for a newer production'
}
