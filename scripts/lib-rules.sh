# Sourced by scripts that close a port: a table of nftables, loaded now, at boot, and again whenever it is gone.
# shellcheck shell=bash

readonly RULES=/etc/changeover/rules RULES_UNIT=changeover-rules.service
readonly RULES_WATCH=/usr/local/lib/changeover/rules/rules.py

rules_unit() {
  cat <<EOF
[Unit]
Description=Tables of nftables in $RULES (Changeover)
DefaultDependencies=no
After=local-fs.target nftables.service
Before=network.target shutdown.target
Conflicts=shutdown.target

[Service]
ExecStartPre=-/usr/bin/python3 -I $RULES_WATCH $RULES --load
ExecStart=/usr/bin/python3 -I $RULES_WATCH $RULES
Restart=always
RestartSec=1

[Install]
WantedBy=multi-user.target
EOF
}

# keep_rules TABLE: stdin is the text of `table inet TABLE`. One transaction replaces the table, so no packet meets half of it.
keep_rules() {
  local table=$1 text
  text=$(cat)
  write_file "$RULES/$table.nft" <<<"table inet $table"$'\n'"delete table inet $table"$'\n'"$text"
  nft -f "$RULES/$table.nft"
  write_file "$RULES_WATCH" 0755 <"$SCRIPTS/rules.py"
  rules_unit | write_file "/etc/systemd/system/$RULES_UNIT"
  systemctl daemon-reload
  systemctl enable --quiet "$RULES_UNIT"
  systemctl restart "$RULES_UNIT"
  wait_until "table $table is loaded and watched on $HOSTNAME (see: journalctl -u $RULES_UNIT)" 20 are_kept "$table"
}

are_kept() {
  systemctl is-active --quiet "$RULES_UNIT" && ! python3 -I "$RULES_WATCH" "$RULES" --look | grep -qxF "$1"
}

# drop_rules TABLE: the port is closed no more. The watch goes with the last table.
drop_rules() {
  rm -f "$RULES/$1.nft" "/run/changeover-rules/$1"
  if compgen -G "$RULES/*.nft" >/dev/null; then
    systemctl restart "$RULES_UNIT"
  else
    systemctl disable --quiet --now "$RULES_UNIT" 2>/dev/null || true
    rm -f "/etc/systemd/system/$RULES_UNIT" "$RULES_WATCH"
  fi
  ! nft list table inet "$1" >/dev/null 2>&1 || nft delete table inet "$1"
}
