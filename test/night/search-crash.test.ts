import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cut, mend, powerCut, whyNoLab } from "../../tools/workshop/lab/lab.ts";
import { type Case, chosen, recorded } from "../support/chaos.ts";
import { arrange, clear, searchSteps, type SearchStep } from "../support/incident.ts";
import { gone, interrupted, recover } from "../support/incidents.ts";
import { failed, ok } from "../support/runs.ts";
import { SearchSite } from "../support/search-site.ts";

const minute = 60_000;

/** The steps of each change of a cluster. Every run of the tests has some cases; `npm run chaos` has all. */
const steps = {
  "a bounce": ["claim", "try", "bounce", "check", "done"],
  "other settings": ["configure", "try", "bounce", "check"],
  "a cleared bounce": ["clear", "bounce", "return"],
  "a drain": ["claim", "start", "begin", "done"],
  "a leave": ["begin", "wait", "halt", "end", "done"],
  "an entry": ["start", "cancel", "done"],
  "a reindex": ["create index", "copy index", "swap index", "clean index"],
} as const satisfies Record<string, readonly SearchStep[]>;

const stops = [
  "fails before",
  "fails after",
  "is killed in",
  "loses its script in",
  "loses a node in",
  "is cut off in",
] as const;

type Change = keyof typeof steps;
type Stop = (typeof stops)[number];
interface SearchCase extends Case<`${Change} ${Stop}`, SearchStep> {
  readonly change: Change;
  readonly stop: Stop;
}

const sampled: readonly string[] = [
  "a bounce fails after bounce",
  "a bounce loses its script in bounce",
  "a bounce loses a node in bounce",
  "other settings loses its script in bounce",
  "a cleared bounce is killed in clear",
  "a drain is cut off in begin",
  "a leave fails after halt",
  "a reindex loses its script in swap index",
];

const cases = chosen(
  (Object.keys(steps) as Change[]).flatMap((change) =>
    steps[change].flatMap((step) =>
      stops.map((stop): SearchCase => ({
        change,
        stop,
        step,
        incident: `${change} ${stop}`,
        ending: stop === "fails after" && change !== "a cleared bounce" ? "back" : "finish",
        sampled: sampled.includes(`${change} ${stop} ${step}`),
      })),
    ),
  ),
);

describe.skipIf(whyNoLab() !== undefined || cases.length === 0)(
  "a search cluster whose change is stopped half-way",
  () => {
    let site: SearchSite;
    let bounces = 0;
    beforeAll(async () => {
      site = await SearchSite.start();
      await site.fill();
    }, 10 * minute);
    afterAll(() => site.stop(), minute);

    /** What a change begins with, and where it goes. */
    const ways = (change: Change): { from: () => void; to: () => void } => {
      const es4 = (is: string) => () => {
        site.setNode("es4", { is });
      };
      const papers = (version: string) => () => {
        const body = (one: string) => ({ body: `test/support/bodies/pages-${one}.json` });
        site.set({ indexes: { papers: { version, versions: { 1: body("1"), 2: body("2") } } } });
      };
      const bounce = (clearSpot: boolean) => ({
        from: () => {
          site.set({ clearSpot });
        },
        to: () => {
          site.set({ clearSpot, bounce: `bounce ${String(++bounces)}` });
        },
      });
      return {
        "a bounce": bounce(false),
        "other settings": {
          from: () => {
            site.set({ settings: {} });
          },
          to: () => {
            site.set({
              settings: { "indices.memory.index_buffer_size": `${String(10 + (++bounces % 20))}%` },
            });
          },
        },
        "a cleared bounce": bounce(true),
        "a drain": { from: es4("in"), to: es4("drained") },
        "a leave": { from: es4("in"), to: es4("out") },
        "an entry": { from: es4("out"), to: es4("in") },
        "a reindex": { from: papers("1"), to: papers("2") },
      }[change];
    };

    const script = (step: SearchStep): string => searchSteps[step].replace("/", "-");

    async function stopIn({ step, stop }: SearchCase): Promise<void> {
      const { estate } = site;
      switch (stop) {
        case "fails before":
        case "fails after":
          await arrange(estate, step, stop === "fails before" ? "before" : "after");
          failed(await estate.up());
          break;
        case "is killed in":
          await interrupted(site, step);
          break;
        case "loses its script in":
          await interrupted(site, step, async () => {
            await pause(2500);
            for (const host of estate.hosts.keys())
              await estate.on(
                host,
                `systemctl kill --signal=KILL 'changeover-catalogue*-${script(step)}*' || true`,
              );
          });
          break;
        case "loses a node in":
          await gone(site, step, "es3", powerCut, (_, name) => estate.boot(name));
          break;
        case "is cut off in":
          await gone(site, step, "es2", cut, mend);
      }
      await clear(estate);
    }

    const drained = ["cluster.routing.allocation.exclude._ip"];

    it.for(cases)(
      "loses no document, is not red by it, and has its settings again when $incident $step, and then: $ending",
      recorded(async (one: SearchCase) => {
        const { from, to } = ways(one.change);
        from();
        ok(await site.estate.up());
        const before = await site.settings();
        const index = one.change === "a reindex" ? "papers" : "pages";
        const users = site.users(["frontend", "es1", "es2"], index);
        await pause(1000);
        users.mark();
        to();
        await stopIn(one);
        // Whoever died: a minute later nothing of a bounce is left. A drain that was begun goes on by itself.
        const left = async (): Promise<string[]> =>
          Object.keys({ ...(await site.settings()).persistent, ...(await site.settings()).transient }).filter(
            (key) => !(key in (before.persistent ?? {})) && !key.startsWith("cluster.metadata.changeover"),
          );
        const allowed = ["a drain", "a leave"].includes(one.change) ? drained : [];
        await expect
          .poll(async () => (await left()).filter((key) => !allowed.includes(key)), { timeout: 90_000 })
          .toEqual([]);
        if (one.ending === "back") from();
        await recover(site, one.stop.startsWith("fails") ? "fails" : one.stop);
        const seen = await users.report();
        users.stop();
        const { missing } = await users.check(seen.written);
        expect(missing).toEqual([]);
        // Programs may write, and there is one index behind the name.
        await site.ask(`/${index}/_doc/after-${String(++bounces)}`, { n: 1 });
        expect(Object.keys(await site.ask(`/${index}`))).toHaveLength(1);
        if (!/^(loses a node|is cut off)/.test(one.stop)) expect(seen.red).toBe(0);
        await expect
          .poll(async () => (await site.ask<{ status: string }>("/_cluster/health")).status, {
            timeout: 2 * minute,
          })
          .toBe("green");
        if (!(one.change === "a drain" && one.ending === "finish")) expect(await left()).toEqual([]);
        const verified = await site.estate.verify();
        expect(verified.code, verified.output).toBe(0);
      }),
    );
  },
);
