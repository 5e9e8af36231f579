import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hostKeyOf } from "../../platforms/aws/host-key.ts";
import type { RunBookDocument } from "../../tools/runbook/document.ts";
import { killHost, whyNoLab } from "../../tools/workshop/lab/lab.ts";
import { Estate } from "../support/estate.ts";
import { PoolSite } from "../support/pool-site.ts";
import { ok } from "../support/runs.ts";

const minute = 60_000;

const texts = ({ refusals }: RunBookDocument): string[] => refusals.map(({ text }) => text);

/** Everything that a look could leave on a machine. */
const traces =
  "ls /run /tmp /opt/changeover; cat /var/lib/changeover/sounz/{claim,done/*} /etc/sounz/sounz.status";

describe.skipIf(whyNoLab() !== undefined)("a run-book that asks the hosts of a pair", () => {
  let estate: Estate;
  beforeAll(async () => {
    estate = await Estate.start();
    estate.set({ directories: { data: "/data/sounz" } });
    await estate.on("slayer", "mkdir -p /data/sounz && echo 1 >/data/sounz/file");
    ok(await estate.up());
    estate.flip("megadeth");
  }, 10 * minute);
  afterAll(() => estate.stop(), minute);

  const traced = async () => Promise.all(["slayer", "megadeth"].map((host) => estate.on(host, traces)));

  /** It is refused in the run-book, and then by an update with the same words. */
  const isToldBefore = async (text: string): Promise<void> => {
    const { code, document, output } = await estate.runbook("--live");
    expect(code, output).toBe(77);
    expect(document.verdict).toBe("refused");
    expect(texts(document)).toEqual([text]);
    const up = await estate.up();
    expect(up.code).not.toBe(0);
    expect(up.output).toContain(`  ${text}\n`);
  };

  it(
    "finds nothing against a flip of a healthy pair, says who serves, and leaves nothing on any host [001-084]",
    async () => {
      const before = await traced();
      const { code, document, output } = await estate.runbook("--live", "--detailed-exitcode");
      expect(code, output).toBe(2);
      expect(output).toContain("nothing would be refused");
      expect(document.facts.source).toBe("live");
      expect(document.facts.lines.join("\n")).toMatch(
        /sounz-switch: slayer accepts writes now\nsounz-switch: copies on megadeth: data \d+ s ago/,
      );
      expect(document.transitions.map(({ name, work }) => [name, work])).toEqual([
        ["sounz-switch", "production slayer => megadeth"],
      ]);
      expect(await traced()).toEqual(before);
    },
    minute,
  );

  it(
    "sends the scripts along where a host has those of another release, and removes them",
    async () => {
      const release = (await estate.on("megadeth", "ls /opt/changeover")).trim();
      await estate.on("megadeth", `mv /opt/changeover/${release} /opt/changeover/another`);
      const before = await traced();
      const { code, document, output } = await estate.runbook("--live");
      expect(code, output).toBe(0);
      expect(document.refusals).toEqual([]);
      expect(document.facts.lines).toContainEqual(
        expect.stringMatching(/^sounz-switch: megadeth does not have the scripts of this preview yet/),
      );
      expect(await traced()).toEqual(before);
      await estate.on("megadeth", `mv /opt/changeover/another /opt/changeover/${release}`);
    },
    minute,
  );

  it(
    "finds a disk that is too full and a standby whose replay is paused, both at once",
    async () => {
      await estate.psql("megadeth", "select pg_wal_replay_pause()");
      await estate.psql(
        "slayer",
        "create table bulk as select repeat(md5(i::text), 30) from generate_series(1, 30000) as i",
      );
      estate.set({ minFreeMiB: 900_000_000 });
      const { code, document } = await estate.runbook("--live");
      expect(code).toBe(77);
      expect(texts(document)).toEqual([
        expect.stringMatching(
          /^slayer has \d+ MiB free for its database \(needed: 900000000 MiB\); make room$/,
        ),
        expect.stringMatching(/^megadeth has \d+ MiB free for its database/),
        "megadeth cannot become production: replay is paused by hand; resume it here: select pg_wal_replay_resume()",
      ]);
      estate.set({ minFreeMiB: undefined });
      await estate.psql("megadeth", "select pg_wal_replay_resume()");
      await estate.psql("slayer", "drop table bulk");
    },
    minute,
  );

  it(
    "says of a stopped standby what the update then says, word for word",
    async () => {
      await estate.on("megadeth", "systemctl stop postgresql@15-sounz");
      await isToldBefore(
        "megadeth cannot become production: its PostgreSQL is stopped; start PostgreSQL on megadeth",
      );
      await estate.on("megadeth", "systemctl start postgresql@15-sounz");
    },
    minute,
  );

  it(
    "finds a machine that shows another host key",
    async () => {
      const { hostKey } = estate.host("megadeth");
      const { publicKey } = hostKeyOf(Buffer.alloc(32, 7).toString("base64"));
      Object.assign(estate.host("megadeth"), { hostKey: publicKey });
      estate.write();
      const { code, document } = await estate.runbook("--live");
      Object.assign(estate.host("megadeth"), { hostKey });
      estate.write();
      expect(code).toBe(77);
      expect(document.unanswered).toEqual([]);
      // Another key is another machine, so it is provisioned first; both looks find the same.
      expect(document.refusals.map(({ transitions, after }) => [transitions, after])).toEqual([
        [["sounz-provision", "sounz-switch"], []],
      ]);
      expect(texts(document)).toEqual([
        expect.stringMatching(/^megadeth: shows another host key than the config names: .*compare the/),
      ]);
    },
    minute,
  );

  it(
    "finds a host that is to go out of service while it serves users",
    async () => {
      estate.config = { pairs: {}, absent: ["slayer", "megadeth"] };
      estate.write();
      const { code, document, output } = await estate.runbook("--live");
      estate.config = {};
      estate.write();
      expect(code, output).toBe(77);
      expect(document.refusals.map(({ transitions }) => transitions)).toEqual([["absent"]]);
      expect(texts(document)).toEqual([
        expect.stringMatching(/^slayer accepts writes for sounz: put the pair back .*; then run up again$/),
      ]);
      expect(document.facts.lines).toContain("absent: megadeth serves no user");
    },
    minute,
  );

  it(
    "ends with 75 for a dead host, names it, and says for an emergency that its copies are old",
    async () => {
      await estate.on("megadeth", "sed -i 's/^at=.*/at=1700000000/' /var/lib/changeover/sounz/copies/data");
      await killHost(estate.lab, "slayer");
      const flip = await estate.runbook("--live");
      expect(flip.code, flip.output).toBe(75);
      expect(flip.document.unanswered).toEqual(["slayer"]);
      expect(texts(flip.document)).toEqual([
        expect.stringMatching(/^slayer: (does not answer|gave no answer)/),
      ]);
      estate.without("slayer");
      const emergency = await estate.runbook("--live");
      expect(emergency.code, emergency.output).toBe(77);
      expect(texts(emergency.document)).toEqual([
        expect.stringMatching(
          /^megadeth has old copies \(data: \d+ min old; allowed: 1560 min\); to serve the old/,
        ),
        expect.stringMatching(/^no fence can cut slayer off; if slayer runs, two servers accept writes/),
      ]);
    },
    minute,
  );
});

describe.skipIf(whyNoLab() !== undefined)("a run-book that asks the hosts of a pool", () => {
  let site: PoolSite;
  beforeAll(async () => {
    site = await PoolSite.start(["websvr"], ["prodapp01", "prodapp02"], { minHealthy: 1, groupSize: 1 });
  }, 10 * minute);
  afterAll(() => site.stop(), minute);

  it(
    "finds a server that is missing on a balancer before a release is begun",
    async () => {
      site.set({ release: "4685" });
      const well = await site.estate.runbook("--live");
      expect(well.code, well.output).toBe(0);
      expect(well.output).toContain("nothing would be refused");
      expect(well.document.facts.lines).toContain("crossbow-release-roll: prodapp01 runs 4684");
      await site.estate.on(
        "websvr",
        "sed -i '/^ *server prodapp02 /d' /etc/haproxy/haproxy.cfg && systemctl reload haproxy",
      );
      const { code, document, output } = await site.estate.runbook("--live");
      expect(code, output).toBe(77);
      expect(texts(document)).toEqual([
        "websvr has different states in its records, haproxy.cfg and HAProxy's socket: /etc/haproxy/haproxy.cfg is not what the records say; decide which one is right (docs/runbook.md)",
        "websvr has 1 server(s) UP (prodapp01); without 1 of them 0 would stay UP (allowed: 1 or more); repair the servers that are not UP, or lower minHealthy",
      ]);
      const up = await site.estate.up();
      for (const text of texts(document)) expect(up.output).toContain(`  ${text}\n`);
    },
    minute,
  );
});
