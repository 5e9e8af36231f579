import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { killHost, reboot, ssh, whyNoLab } from "../../tools/workshop/lab/lab.ts";
import type { Run } from "../support/engine.ts";
import { Estate } from "../support/estate.ts";
import { stepsIn } from "../support/previewed.ts";
import { failed, ok } from "../support/runs.ts";

const minute = 60_000;
const clients = ["prodapp01", "prodapp02"];
const port = 11211;
const dalli = readFileSync(join(import.meta.dirname, "..", "support", "dalli.rb"), "utf8");

interface Seen {
  readonly gets: number;
  readonly misses: number;
  /** Values that were found and are not the last that was set. */
  readonly old: number;
  readonly errors: number;
}

describe.skipIf(whyNoLab() !== undefined)("a cache on the app servers", () => {
  let estate: Estate;
  beforeAll(async () => {
    estate = await Estate.start(["prodapp01", "prodapp02", "websvr"], ["ruby", "ruby-dalli"]);
    for (const host of clients) {
      await estate.on(host, `cat >/root/dalli.rb <<'TEXT_ENDS'\n${dalli}TEXT_ENDS`);
      // Other keys at each start: a stand-in still has what it was told in an earlier absence of a node.
      const unit = `[Service]\nExecStart=/bin/sh -c 'exec /usr/bin/ruby /root/dalli.rb /etc/changeover/caches/sessions.ring ${host}-$$$$ 500 /root/seen.json'\nExecReload=/bin/kill -HUP $MAINPID\n`;
      await estate.on(
        host,
        `cat >/etc/systemd/system/site.service <<'TEXT_ENDS'\n${unit}TEXT_ENDS\nsystemctl daemon-reload`,
      );
    }
  }, 10 * minute);
  afterAll(() => estate.stop(), minute);

  const cache: Record<string, unknown> = { nodes: { prodapp01: "in" }, clients, reloads: ["site.service"] };
  const configured = (change: Record<string, unknown>, more: Record<string, unknown> = {}): void => {
    Object.assign(cache, change);
    estate.config = { pairs: {}, caches: { sessions: cache }, ...more };
    estate.write();
  };
  const place = (host: string): string => `${estate.host(host).address}:${String(port)}`;
  const scripts = "cd /opt/changeover/*/scripts/memcached";
  const ring = (host: string): Promise<string> => estate.on(host, "cat /etc/changeover/caches/sessions.ring");
  const pid = (host: string): Promise<string> =>
    estate.on(host, "systemctl show --property=MainPID --value changeover-memcached-sessions");
  /** One line of the monitoring probe, with its exit code. */
  const monitored = async (host: string): Promise<string> => {
    const { code, stdout } = await ssh(
      estate.lab,
      host,
      "python3 /usr/local/lib/changeover/caches/ring-check.py sessions",
    );
    return `${String(code)} ${stdout.trim()}`;
  };
  const seen = async (host: string): Promise<Seen> => ({
    gets: 0,
    misses: 0,
    old: 0,
    errors: 0,
    ...(JSON.parse(await estate.on(host, "cat /root/seen.json")) as Partial<Seen>),
  });
  const site = async (host: string): Promise<void> => {
    await estate.on(host, "systemctl stop site; rm -f /root/seen.json; systemctl start site");
    await expect
      .poll(
        () =>
          seen(host).then(
            ({ gets }) => gets,
            () => 0,
          ),
        { timeout: 20_000 },
      )
      .toBeGreaterThan(600);
  };
  /** What the site saw on both clients while something was done. */
  const while_ = async (act: () => Promise<unknown>): Promise<Seen> => {
    const before = await Promise.all(clients.map(seen));
    await act();
    await new Promise((resolve) => setTimeout(resolve, 2500));
    const after = await Promise.all(clients.map(seen));
    const sum = (key: keyof Seen) =>
      after.reduce((total, now, index) => total + now[key] - (before[index]?.[key] ?? 0), 0);
    return { gets: sum("gets"), misses: sum("misses"), old: sum("old"), errors: sum("errors") };
  };
  /** Names of what a run did, without the transition's own frame. */
  const work = ({ output }: Run): string[] =>
    stepsIn(output, "sessions").filter((name) => !/-(node|ring|preflight|claim-\w+|done-\w+)$/.test(name));

  it(
    "is made on one of them, and both use it [001-114]",
    async () => {
      configured({});
      ok(await estate.up());
      expect(await ring("prodapp01")).toBe(`${place("prodapp01")}\n`);
      expect(await ring("prodapp02")).toBe(await ring("prodapp01"));
      expect(await monitored("prodapp02")).toMatch(
        /^0 CACHE OK: 1 nodes answer, ring [0-9a-f]{12} \| get_hits=/,
      );
      for (const host of clients) await site(host);
      const verified = await estate.verify();
      expect(verified.code, verified.output).toBe(0);
    },
    5 * minute,
  );

  it(
    "lets its clients in, and nobody else [001-024]",
    async () => {
      const reach = (host: string, at: string) =>
        ssh(estate.lab, host, `${scripts} && python3 reach.py ${at}`);
      expect((await reach("prodapp02", place("prodapp01"))).code).toBe(0);
      const stranger = await reach("websvr", place("prodapp01"));
      expect([stranger.code, stranger.stderr.trim()]).toEqual([
        1,
        `${place("prodapp01")}: Connection refused`,
      ]);
      expect(
        await estate.on("prodapp01", `ss -Hltn 'sport = :${String(port)}' | awk '{ print $4 }' | sort`),
      ).toBe(
        [`127.0.0.1:${String(port)}`, place("prodapp01")].sort((a, b) => (a < b ? -1 : 1)).join("\n") + "\n",
      );
    },
    minute,
  );

  it(
    "lets nobody else in after a flush of the ruleset either, and verify and monitoring see when it does",
    async () => {
      const table = "changeover-memcached-sessions";
      const loaded = () =>
        ssh(estate.lab, "prodapp01", `nft list table inet ${table}`).then(({ code }) => code);
      await estate.on("prodapp01", "nft flush ruleset");
      await expect.poll(loaded, { timeout: 10_000 }).toBe(0);
      await estate.on("prodapp01", "systemctl stop changeover-rules && nft flush ruleset");
      const verified = await estate.verify();
      expect(verified.code).toBe(77);
      expect(verified.output).toContain(
        "prodapp01: accepts every host: its rules of nftables are not loaded",
      );
      expect(await monitored("prodapp01")).toMatch(/^2 CACHE CRITICAL: prodapp01 accepts every host/);
      await reboot(estate.lab, "prodapp01");
      await expect.poll(loaded, { timeout: 40_000 }).toBe(0);
      // A client takes a node that it found dead for dead for a minute.
      for (const host of clients) await site(host);
      expect((await estate.verify()).code).toBe(0);
    },
    2 * minute,
  );

  it(
    "gets a second node: steps of that host and of the ring alone, and nobody misses an entry [001-113] [001-114] [001-115]",
    async () => {
      configured({ nodes: { prodapp01: "in", prodapp02: "in" } });
      const before = await pid("prodapp01");
      let run: Run | undefined;
      const counted = await while_(async () => {
        run = await estate.up();
        ok(run);
      });
      const node = ["away-copy", "aside-prodapp01", "aside-prodapp02", "quiet-settle", "home-copy"];
      node.push("back-prodapp01", "back-prodapp02", "settle", "configure", "others-prodapp01");
      node.push("others-prodapp02", "packages", "restart");
      const ringSteps = [
        "check-compare-prodapp01",
        "check-compare-prodapp02",
        "mark-prodapp01",
        "mark-prodapp02",
      ];
      ringSteps.push(
        "reach-prodapp01",
        "reach-prodapp02",
        "copy",
        "ring-prodapp01",
        "ring-prodapp02",
        "settle",
      );
      expect(work(run as Run)).toEqual(
        [
          ...node.map((name) => `sessions-prodapp02-node-${name}`),
          ...ringSteps.map((name) => `sessions-ring-${name}`),
        ].sort(),
      );
      expect(await pid("prodapp01")).toBe(before);
      expect(await ring("prodapp02")).toBe(`${place("prodapp01")}\n${place("prodapp02")}\n`);
      console.log(`a node comes: ${JSON.stringify(counted)}`);
      expect(counted.errors).toBe(0);
      expect(counted.misses).toBeLessThan(counted.gets / 100);
      const there = await estate.on(
        "prodapp02",
        `${scripts} && python3 -c "from node import Node; print(Node('${place("prodapp02")}').stats()['curr_items'])"`,
      );
      expect(Number(there)).toBeGreaterThan(300);
    },
    3 * minute,
  );

  it(
    "changes the settings of one node after the other, each out of the ring, and nobody misses an entry",
    async () => {
      const before = await Promise.all(clients.map(pid));
      await estate.on(
        "prodapp01",
        `cat >/root/watch.py <<'TEXT_ENDS'
import os, socket, time
places = [("${estate.host("prodapp01").address}", ${String(port)}), ("${estate.host("prodapp02").address}", ${String(port)})]
both = single = 0
def dead(place):
    try:
        socket.create_connection(place, 0.2).close()
        return False
    except OSError:
        return True
while True:
    gone = sum(map(dead, places))
    both += gone == 2
    single += gone == 1
    with open("/root/watched.new", "w") as file:
        file.write(f"{single} {both}")
    os.rename("/root/watched.new", "/root/watched")
    time.sleep(0.005)
TEXT_ENDS
systemd-run --quiet --unit=watch python3 /root/watch.py`,
      );
      configured({ memoryMiB: 48 });
      let run: Run | undefined;
      const counted = await while_(async () => {
        run = await estate.up();
        ok(run);
      });
      await estate.on("prodapp01", "systemctl stop watch");
      expect(work(run as Run).filter((name) => name.includes("ring"))).toEqual([]);
      const [single, both] = (await estate.on("prodapp01", "cat /root/watched")).split(" ").map(Number);
      const after = await Promise.all(clients.map(pid));
      expect(after[0]).not.toBe(before[0]);
      expect(after[1]).not.toBe(before[1]);
      expect(both).toBe(0);
      console.log(`settings changed: looks with one node gone ${String(single)}; ${JSON.stringify(counted)}`);
      expect(counted.errors).toBe(0);
      expect(counted.misses).toBeLessThan(counted.gets / 100);
      expect((await estate.verify()).code).toBe(0);
      expect(await estate.on("prodapp02", "tr '\\0' ' ' </proc/$(pidof memcached)/cmdline")).toContain(
        " -m 48 ",
      );
    },
    3 * minute,
  );

  it(
    "does not restart a node while another is dead, and goes back",
    async () => {
      await estate.on("prodapp02", "systemctl stop changeover-memcached-sessions");
      const before = await pid("prodapp01");
      configured({ memoryMiB: 32 });
      const run = await estate.up();
      failed(run);
      expect(run.output).toContain(
        `refused: ${place("prodapp01")} must not be restarted, since another node of sessions does not answer`,
      );
      expect(await pid("prodapp01")).toBe(before);
      configured({ memoryMiB: 48 });
      ok(await estate.up());
      // The flip back starts the dead one too.
      expect(await monitored("prodapp01")).toMatch(/^0 /);
      expect(await pid("prodapp01")).toBe(before);
    },
    3 * minute,
  );

  it(
    "finds a ring that is not the others', in verify, in the check, in monitoring, and mends it",
    async () => {
      await estate.on("prodapp02", `echo ${place("prodapp02")} >/etc/changeover/caches/sessions.ring`);
      const verified = await estate.verify();
      expect(verified.code).toBe(77);
      expect(verified.output).toMatch(
        /prodapp02: has ring [0-9a-f]{12} \(expected: [0-9a-f]{12}\); start again: npx pulumi up --replace '\*\*::sessions-ring-id'/,
      );
      // As in the transition: all clients publish their hash, then all compare.
      const publish = `${scripts} && export CHANGEOVER_TRANSITION=ring && bash publish-ring-hash.sh sessions sessions`;
      await estate.on("prodapp01", publish);
      const check = await ssh(
        estate.lab,
        "prodapp02",
        `${publish} && bash require-same-ring.sh sessions sessions prodapp01 prodapp02`,
      );
      expect(check.code).toBe(77);
      expect(check.stderr).toMatch(
        /refused: the clients of sessions have different rings: prodapp01 has ring [0-9a-f]{12} on \S+, prodapp02 has [0-9a-f]{12}/,
      );
      expect(await monitored("prodapp02")).toMatch(
        /^2 CACHE CRITICAL: \/etc\/changeover\/caches\/sessions.ring is [0-9a-f]{12}, it was written as/,
      );
      expect(await monitored("prodapp01")).toMatch(
        /^2 CACHE CRITICAL: prodapp01 has ring [0-9a-f]{12}, but prodapp02 has ring/,
      );
      ok(await estate.up("--replace", "**::sessions-ring-id"));
      expect((await estate.verify()).code).toBe(0);
      expect(await monitored("prodapp01")).toMatch(/^0 /);
    },
    3 * minute,
  );

  it(
    "is not told to go on with a node that listens for others, or a port that is taken",
    async () => {
      const drop = "/etc/systemd/system/changeover-memcached-sessions.service.d";
      await estate.on(
        "prodapp02",
        `mkdir -p ${drop} && printf '[Service]\\nExecStart=\\nExecStart=/usr/bin/memcached -l 0.0.0.0 -p ${String(port)} -U 0 -m 48 -c 1024\\n' >${drop}/own.conf && systemctl daemon-reload && systemctl restart changeover-memcached-sessions`,
      );
      expect((await estate.verify()).output).toContain("prodapp02: listens on 0.0.0.0 (allowed: ");
      const listening = await estate.up("--replace", "**::sessions-prodapp02-node-id");
      failed(listening);
      expect(listening.output).toMatch(
        /prodapp02 listens on 0\.0\.0\.0 port 11211 \(allowed: [\d.]+ and 127\.0\.0\.1\)/,
      );
      await estate.on(
        "prodapp02",
        `rm -r ${drop} && systemctl daemon-reload && systemctl stop changeover-memcached-sessions && systemd-run --quiet --unit=stranger /usr/bin/memcached -u nobody -l 0.0.0.0 -p ${String(port)}`,
      );
      await expect
        .poll(() => estate.on("prodapp02", `ss -Hltn 'sport = :${String(port)}'`))
        .toContain("0.0.0.0");
      const taken = await estate.up("--replace", "**::sessions-prodapp02-node-id");
      failed(taken);
      expect(taken.output).toContain(
        "prodapp02 has memcached (stranger.service) on 0.0.0.0 at port 11211, which is not the server of this cache",
      );
      await estate.on("prodapp02", "systemctl stop stranger");
      ok(await estate.up());
      expect((await estate.verify()).code).toBe(0);
    },
    4 * minute,
  );

  it(
    "survives the death of a node: no error to the site, which misses what that node had [001-116]",
    async () => {
      for (const host of clients) await site(host);
      const before = await seen("prodapp01");
      const total = estate.on(
        "prodapp01",
        "python3 /usr/local/lib/changeover/caches/misses.py sessions 12",
        40,
      );
      await killHost(estate.lab, "prodapp02");
      const counters = await total;
      const after = await seen("prodapp01");
      console.log(`a node dies: ${JSON.stringify(after)} after ${JSON.stringify(before)}\n${counters}`);
      expect(after.errors - before.errors).toBe(0);
      expect(after.misses - before.misses).toBeGreaterThan(100);
      expect(counters).toContain(`${place("prodapp02")} gone\n`);
      expect(counters).toMatch(/^all \d+ gets, \d+ misses, [\d.]+ %$/m);
      expect(await monitored("prodapp01")).toMatch(
        new RegExp(`^1 CACHE WARNING: 1 of 2 nodes do not answer: ${place("prodapp02")}: `),
      );
      configured({}, { unreachable: ["prodapp02"] });
      const run = await estate.up();
      ok(run);
      expect(work(run).filter((name) => /^sessions-prodapp02-node-(?!skipped)/.test(name))).toEqual([]);
      await estate.boot("prodapp02");
      await estate.on("prodapp02", "systemctl start site");
      configured({});
      ok(await estate.up());
      const verified = await estate.verify();
      expect(verified.code, verified.output).toBe(0);
      expect(await monitored("prodapp01")).toMatch(/^0 /);
    },
    4 * minute,
  );

  it(
    "loses a node and gets it back by config, under the site, without a miss that the copy can spare",
    async () => {
      for (const host of clients) await site(host);
      configured({ nodes: { prodapp01: "in", prodapp02: "out" } });
      const left = await while_(async () => {
        ok(await estate.up());
      });
      expect(await ring("prodapp02")).toBe(`${place("prodapp01")}\n`);
      expect(
        await estate.on(
          "prodapp02",
          "systemctl is-active changeover-memcached-sessions; ls /etc/systemd/system/changeover-memcached-* 2>/dev/null; nft list tables; true",
        ),
      ).toBe("inactive\n");
      configured({ nodes: { prodapp01: "in", prodapp02: "in" } });
      const came = await while_(async () => {
        ok(await estate.up());
      });
      console.log(`a node leaves: ${JSON.stringify(left)}, comes: ${JSON.stringify(came)}`);
      for (const counted of [left, came]) {
        expect(counted.errors).toBe(0);
        expect(counted.misses).toBeLessThan(counted.gets / 100);
      }
      expect((await estate.verify()).code).toBe(0);
    },
    4 * minute,
  );

  it(
    "does not lose a node from the file that serves",
    async () => {
      configured({ nodes: { prodapp01: "in" } });
      const run = await estate.up();
      failed(run);
      expect(run.output).toContain(
        "changeover:caches.sessions.nodes.prodapp02: missing, but this stack still runs memcached there; set it to `out` and update",
      );
      configured({ nodes: { prodapp01: "in", prodapp02: "in" } });
    },
    minute,
  );

  it(
    "has scripts that can be run twice",
    async () => {
      const own = await estate.on(
        "prodapp01",
        "sed -n s/^id=//p /var/lib/changeover/sessions-prodapp01/claim /var/lib/changeover/sessions/claim",
      );
      const [node = "", ringId = ""] = own.trim().split("\n");
      const both = `${place("prodapp01")} ${place("prodapp02")}`;
      const sha =
        (await estate.on("prodapp01", "sha256sum </etc/changeover/caches/sessions.ring")).split(" ")[0] ?? "";
      const conf = await estate.on("prodapp01", "tr 'A-Z\\n' 'a-z ' </etc/changeover/caches/sessions.node");
      const lines = [
        `packages.sh sessions-prodapp01`,
        `configure-node.sh sessions-prodapp01 sessions ${conf}`,
        `require-other-nodes.sh sessions-prodapp01 sessions ${place("prodapp01")}`,
        `copy-entries.sh sessions-prodapp01 sessions 10 without ${place("prodapp01")}`,
        `remove-from-ring.sh sessions-prodapp01 sessions ${place("prodapp01")} site.service`,
        `drain-old-node.sh sessions-prodapp01 sessions 10 1`,
        `restart-node.sh sessions-prodapp01 sessions keep`,
        `copy-entries.sh sessions-prodapp01 sessions 10 back ${place("prodapp01")}`,
        `return-to-ring.sh sessions-prodapp01 sessions ${place("prodapp01")} site.service`,
        `drain-old-node.sh sessions-prodapp01 sessions 10 1`,
        `require-reachable.sh sessions sessions ${both}`,
        `copy-entries.sh sessions sessions 10 to ${both}`,
        `write-ring.sh sessions sessions ${sha} ${clients.join(",")} site.service ${both}`,
        `drain-old-node.sh sessions sessions 10 1`,
        `publish-ring-hash.sh sessions sessions`,
        // What the other client set may have been moved by the lines above.
        `require-same-ring.sh sessions sessions prodapp01`,
      ];
      const before = [await pid("prodapp01"), await ring("prodapp01")];
      for (const line of lines) {
        const [id, transition] = line.includes("sessions-prodapp01") ? [node, "node"] : [ringId, "ring"];
        const run = `${scripts} && export CHANGEOVER_ID=${id} CHANGEOVER_TRANSITION=${transition} && bash ${line} && bash ${line}`;
        expect(await estate.on("prodapp01", run), line).toMatch(/^(\S+ .* \d+\.\d\d( \| .+)?\n){2}$/);
      }
      expect([await pid("prodapp01"), await ring("prodapp01")]).toEqual(before);
    },
    2 * minute,
  );
});
