import { describe, expect, it } from "vitest";
import { canPretend, pretend } from "../support/pair-machine.ts";

describe.runIf(canPretend).concurrent("a machine that is made one of a pair", { timeout: 60_000 }, () => {
  /** configure.sh up to its first act, which is to write the file of the pair. */
  const configure = String.raw`
configure() {
  rc=0; printf '%s\n' peer=a replication=b rsync=c checks=d owner=e |
    bash "$LIB/pair/configure.sh" "$1" self=slayer service_address=192.0.2.46 2>&1 | sed "s/^[^ ]* //; s/$HOSTNAME/HOST/g" || rc=$?
}
rm -rf /etc/sounz
`;

  it("never takes the folder of something else in /etc for its own", async () => {
    const { stdout, stderr } = await pretend(`${configure}
mkdir /etc/web; echo theirs >/etc/web/web.conf; printf 'PAIR=other\n' >/etc/web/x.conf
find /etc/web /etc/ssh /etc/fstab >"$T/before" 2>/dev/null || true
for pair in web fstab; do configure $pair; done
find /etc/web /etc/ssh /etc/fstab 2>/dev/null | cmp - "$T/before"; cat /etc/web/web.conf`);
    const refused = ["web", "fstab"].map(
      (pair) =>
        `refused: the folder /etc/${pair} on HOST is there and not of pair ${pair}; name the pair otherwise\n`,
    );
    expect(stdout, stderr).toBe(`${refused.join("")}theirs\n`);
  });

  it("goes on in a folder that is not there, is empty, is the pair's, or has the draft of an ended run", async () => {
    const { stdout, stderr } = await pretend(`${configure}
configure sounz; mkdir /etc/sounz; configure sounz; touch /etc/sounz/sounz.conf.aB3dE6; configure sounz
printf 'SELF=slayer\nPAIR=sounz\n' >/etc/sounz/sounz.conf; touch /etc/sounz/more; configure sounz`);
    expect(stdout, stderr).toBe("called wrongly: configure.sh needs peer=…\n".repeat(4));
  });

  it("asks for the service address in the machine's own files whatever the path of the scripts is", async () => {
    const { stdout, stderr } = await pretend(`${configure}
mkdir -p "$T/it's '; import os; #" /etc/netplan; cp -r "$LIB" "$T/it's '; import os; #/lib"; LIB="$T/it's '; import os; #/lib"
echo 'addresses: [192.0.2.46/24]' >/etc/netplan/own.yaml; configure sounz`);
    expect(stdout, stderr).toContain(
      "refused: /etc/netplan/own.yaml on HOST contains the service address 192.0.2.46",
    );
  });

  it("admits only its peer to its port, also after a flush of all rules, until it leaves the pair", async () => {
    const { stdout, stderr } = await pretend(String.raw`
mount -t tmpfs tmpfs /usr/local/lib
cat >"$T/bin/systemctl" <<'END'
#!/bin/sh
case "$1 $2" in
  "restart changeover-rules.service") python3 -I /usr/local/lib/changeover/rules/rules.py /etc/changeover/rules >/dev/null 2>&1 & echo $! >"$T/watch" ;;
  "disable --quiet") kill "$(cat "$T/watch")" ;;
esac
exit 0
END
chmod 755 "$T/bin/systemctl"; export T
nft -f - <<'END'
table ip changeover_sounz {
}
END
touch /etc/sounz/peer.nft
state() { python3 "$LIB/pair/probe.py" sounz | python3 -c 'import json, sys; print(json.load(sys.stdin)["peer_port"])'; }
does() { bash -c '. "$LIB/lib.sh"; . "$LIB/pair/lib.sh"; . "$LIB/pair/lib-carried.sh"; . "$LIB/pair/lib-offer.sh"; . "$LIB/pair/lib-'"$1"'.sh"; load_pair sounz; '"$2" 2>>"$T/said" || cat "$T/said"; }
state
does services admit_peer_only; state; nft list tables; ls /etc/sounz
nft list table inet changeover-peer-sounz | grep -o 'tcp dport.*'
nft flush ruleset; for time in 1 2 3 4 5 6 7 8 9; do sleep 0.5; [ "$(state)" != loaded ] || break; done; state
kill "$(cat "$T/watch")"; nft flush ruleset; state
does retire remove_tables; nft list tables; ls /etc/changeover/rules`);
    expect(stdout, stderr).toBe(
      [
        "missing",
        ...["loaded", "table inet changeover-peer-sounz", "secret", "sounz.conf"],
        "tcp dport 5480 ip saddr != 127.0.0.1 drop",
        ...["loaded", "missing", ""],
      ].join("\n"),
    );
  });
});
