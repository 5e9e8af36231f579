import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { cut, freeze, mend, powerCut, reboot, thaw, whyNoLab } from "../../tools/workshop/lab/lab.ts";
import { Writer } from "../../tools/workshop/writer.ts";
import { killGroup } from "../support/engine.ts";
import { Estate } from "../support/estate.ts";
import { asPreviewed } from "../support/previewed.ts";
import { arrange, clear, reached } from "../support/incident.ts";
import { ok } from "../support/runs.ts";

const minute = 60_000;

describe.skipIf(whyNoLab() !== undefined)("a pair that loses a machine", () => {
  let estate: Estate;
  let writer: Writer;

  beforeAll(async () => {
    estate = await Estate.start();
    estate.fences = true;
    estate.write();
    ok(await estate.up());
    writer = new Writer(await estate.database());
    await writer.start();
  }, 10 * minute);

  afterAll(async () => {
    await writer.stop();
    await estate.stop();
  }, minute);

  const psql = (host: string, statement: string) => estate.psql(host, statement);
  const status = (host: string) => estate.on(host, "cat /etc/sounz/sounz.status").then((text) => text.trim());
  const holds = (host: string) =>
    estate.on(host, `ip -o address show to ${estate.serviceAddress}/32`).then((text) => text !== "");
  const accepts = (host: string) =>
    psql(host, "select not pg_is_in_recovery()").then(
      (answer) => answer === "t",
      () => false,
    );
  const becomes = (what: () => Promise<unknown>, value: unknown, seconds = 60) =>
    expect.poll(what, { timeout: seconds * 1000, interval: 300 }).toEqual(value);
  const writesAgain = () => {
    const mark = writer.mark();
    return expect.poll(() => writer.since(mark).acknowledged, { timeout: 30_000 }).toBeGreaterThan(20);
  };

  /** The end of each case is the beginning of the next: both machines there, production on the primary. */
  afterEach(async () => {
    estate.fences = true;
    for (const key of ["acceptSplitBrainRisk", "acceptDataLoss"]) estate.set({ [key]: undefined });
    estate.without();
    estate.flip((await accepts("megadeth")) ? "megadeth" : "slayer");
    ok(await estate.up());
    estate.flip("slayer");
    ok(await estate.up());
    await writesAgain();
    const verified = await estate.verify();
    expect(verified.code, verified.output).toBe(0);
  }, 2 * minute);

  it(
    "is served by the standby when production loses its power; the dead one comes back as nobody, and is taken in [004-037] [004-044] [004-045] [004-055] [004-056] [004-073] [004-109] [004-137] [004-153] [004-038] [004-102] [004-103] [004-104] [004-108] [004-110] [004-113] [004-115] [004-116] [004-136] [004-138] [004-139]",
    async () => {
      await powerCut(estate.lab, "slayer");
      estate.without("slayer");
      estate.flip("megadeth");
      await asPreviewed(estate);
      await writesAgain();
      expect(await status("megadeth")).toBe("production_alone");

      const since = writer.mark();
      await estate.boot("slayer");
      await becomes(() => status("slayer"), "down");
      expect(await holds("slayer")).toBe(false);
      expect(await accepts("slayer")).toBe(false);
      expect(await estate.on("slayer", "journalctl -o cat -u changeover-watch-sounz")).toContain(
        "the peer was made production later",
      );

      estate.without();
      await asPreviewed(estate);
      expect([await status("slayer"), await status("megadeth")]).toEqual([
        "production_as_standby",
        "standby_as_production",
      ]);
      expect(writer.since(since).outageMs).toBeLessThan(3000);
    },
    4 * minute,
  );

  it(
    "is served on when the standby dies; production then reboots alone and comes back by itself [004-046]",
    async () => {
      const mark = writer.mark();
      await powerCut(estate.lab, "megadeth");
      estate.without("megadeth");
      await asPreviewed(estate);
      expect(await status("slayer")).toBe("production_alone");
      expect(await psql("slayer", "select count(*) from pg_replication_slots")).toBe("0");
      expect(writer.since(mark).outageMs).toBeLessThan(3000);
      await reboot(estate.lab, "slayer");
      await becomes(() => holds("slayer"), true);
      await writesAgain();
      await estate.boot("megadeth");
    },
    4 * minute,
  );

  it(
    "comes back by itself when production reboots, and when both lose their power at once",
    async () => {
      await reboot(estate.lab, "slayer");
      await becomes(() => holds("slayer"), true);
      await writesAgain();
      await Promise.all([powerCut(estate.lab, "slayer"), powerCut(estate.lab, "megadeth")]);
      await Promise.all([estate.boot("slayer"), estate.boot("megadeth")]);
      await becomes(() => holds("slayer"), true);
      await writesAgain();
      await becomes(() => psql("slayer", "select state from pg_stat_replication"), "streaming");
    },
    4 * minute,
  );

  it(
    "waits at boot while nobody can say whether the other was made production meanwhile",
    async () => {
      await Promise.all([powerCut(estate.lab, "slayer"), powerCut(estate.lab, "megadeth")]);
      await estate.boot("slayer");
      await becomes(
        () =>
          estate
            .on("slayer", "journalctl -b -o cat -u changeover-watch-sounz")
            .then((text) => text.includes("the peer does not answer, and may be production by now")),
        true,
      );
      expect([await holds("slayer"), await accepts("slayer")]).toEqual([false, false]);
      await estate.boot("megadeth");
      await becomes(() => holds("slayer"), true);
      await writesAgain();
    },
    4 * minute,
  );

  it(
    "is not taken from a production that is alive, whatever the config says of it [004-047] [004-142]",
    async () => {
      estate.fences = false;
      estate.without("slayer");
      estate.flip("megadeth");
      const asked = await estate.up();
      expect(asked.code).not.toBe(0);
      const line = /npx pulumi config set --path changeover:pairs\.sounz\.acceptSplitBrainRisk "(\d+): /.exec(
        asked.output,
      );
      expect(line, asked.output).not.toBeNull();
      const mark = writer.mark();
      const records = "cat /var/lib/changeover/sounz/serving";
      const before = await estate.on("megadeth", `${records} || true`);
      estate.set({ acceptSplitBrainRisk: `${line?.[1] ?? ""}: it does not answer me` });
      const refused = await estate.up();
      expect(refused.code).not.toBe(0);
      expect(refused.output).toContain("slayer is not gone");
      expect(refused.output).toContain("its sshd answers");
      expect(await estate.on("megadeth", `${records} || true`)).toBe(before);
      expect(await accepts("megadeth")).toBe(false);
      expect(writer.since(mark).outageMs).toBeLessThan(3000);
    },
    4 * minute,
  );

  it.each([
    ["cut off", cut, mend],
    ["frozen", freeze, thaw],
  ] as const)(
    "takes its place back from a machine that was %s, and never rebooted",
    async (_, lose, find) => {
      estate.fences = false;
      await lose(estate.lab, "slayer");
      estate.without("slayer");
      estate.flip("megadeth");
      const asked = await estate.up();
      const epoch = /acceptSplitBrainRisk "(\d+): /.exec(asked.output)?.[1] ?? "";
      estate.set({ acceptSplitBrainRisk: `${epoch}: the switch port is down` });
      const forced = await estate.up();
      // A frozen machine's kernel still answers: nothing is promoted beside it.
      if (lose === freeze) {
        expect(forced.output).toContain("slayer is not gone");
        await cut(estate.lab, "slayer");
        ok(await estate.up());
        await writesAgain();
        // From here until it is thawed, its kernel answers for the address too.
        await mend(estate.lab, "slayer");
      } else {
        ok(forced);
        await writesAgain();
      }
      await find(estate.lab, "slayer");
      await becomes(() => status("slayer"), "down");
      expect([await holds("slayer"), await accepts("slayer")]).toEqual([false, false]);
      await writesAgain();
    },
    4 * minute,
  );

  it(
    "is switched by hand with the same refusals, and an update takes it from there [004-048] [004-067] [004-143] [004-050] [004-051] [004-069] [004-071] [004-105] [004-107] [004-112] [004-117] [004-119] [004-125] [004-127] [004-133] [004-134] [004-135]",
    async () => {
      const hand = (host: string, words: string) => estate.on(host, `changeover-sounz ${words} 2>&1`, 60);
      expect(await hand("slayer", "--help")).toContain("switch-to-standby");
      expect(await hand("slayer", "switch-to-standby --dry-run")).toContain("would run fence");
      expect(await accepts("slayer")).toBe(true);
      await expect(hand("megadeth", "alone")).rejects.toThrow(/slayer is not gone.*nothing was promoted/);
      const fenced = await hand("slayer", "switch-to-standby");
      const next = /now on megadeth: changeover-sounz (switch-to-production \S+)/.exec(fenced)?.[1] ?? "";
      const taken = await hand("megadeth", next);
      await writesAgain();
      expect(taken).toContain("npx pulumi config set --path changeover:pairs.sounz.production megadeth");
      await hand("slayer", /now on slayer: changeover-sounz (follow \S+)/.exec(taken)?.[1] ?? "");
      expect(await hand("slayer", "status")).toMatch(
        /slayer: status production_as_standby, PostgreSQL is read-only.*\nmegadeth: status standby_as_production, PostgreSQL accepts writes/,
      );
      expect((await estate.verify()).output).toContain("by-hand");
    },
    4 * minute,
  );

  it(
    "loses nothing that was acknowledged, even in an emergency, when commits are synchronous; and serves on without its standby",
    async () => {
      estate.set({ synchronous: true });
      ok(await estate.up());
      expect(await psql("slayer", "select sync_state from pg_stat_replication")).toBe("sync");
      const before = await writer.lost();
      await powerCut(estate.lab, "slayer");
      estate.without("slayer");
      estate.flip("megadeth");
      ok(await estate.up());
      await writesAgain();
      expect(await writer.lost()).toEqual(before);
      await estate.boot("slayer");
      estate.without();
      ok(await estate.up());
      expect(await psql("megadeth", "select sync_state from pg_stat_replication")).toBe("sync");
      await powerCut(estate.lab, "slayer");
      estate.without("slayer");
      ok(await estate.up());
      await writesAgain();
      await estate.boot("slayer");
      estate.set({ synchronous: undefined });
    },
    4 * minute,
  );

  const kills = [
    ["alone", "finish"],
    ["alone", "back"],
    ["status", "finish"],
    ["done", "back"],
  ] as const;

  it.each(kills.slice(0, process.env.CHANGEOVER_CHAOS === undefined ? 1 : undefined))(
    "is taken on from there when the run is killed in %s of an emergency: %s",
    async (step, ending) => {
      await arrange(estate, step, "wait");
      await powerCut(estate.lab, "slayer");
      estate.without("slayer");
      estate.flip("megadeth");
      const { child, run } = estate.project.start(["up", "--yes", "--skip-preview"]);
      await expect.poll(() => reached(estate, step), { timeout: minute, interval: 100 }).toBe(true);
      killGroup(child, "SIGKILL");
      await run;
      if (ending === "finish") {
        await estate.project.pulumi(["cancel", "--yes"]);
        ok(await estate.up());
        await writesAgain();
        expect(await status("megadeth")).toBe("production_alone");
      }
      await estate.boot("slayer");
      await clear(estate);
      // The step goes on to its end on its host: whoever was promoted, the other one knows it by now.
      await becomes(() => status("slayer"), "down");
      estate.without();
      await estate.project.pulumi(["cancel", "--yes"]);
      ok(await estate.up());
      ok(await estate.project.pulumi(["refresh", "--clear-pending-creates", "--yes"]));
    },
    4 * minute,
  );
});
