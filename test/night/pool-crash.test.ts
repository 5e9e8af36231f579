import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { whyNoLab } from "../../tools/workshop/lab/lab.ts";
import { type Case, chosen, recorded } from "../support/chaos.ts";
import type { PoolStep } from "../support/incident.ts";
import { type PoolIncident, poolIncidents, recover, stopIn } from "../support/incidents.ts";
import { PoolSite } from "../support/pool-site.ts";
import { ok } from "../support/runs.ts";

const minute = 60_000;

/** Every step of each change of a pool. Every run of the tests has some cases; `npm run chaos` has all. */
const steps = {
  "a release": ["claim", "stage", "drain", "release", "enter", "done"],
  "a leave": ["claim", "want", "drain", "done"],
  "an entry": ["claim", "stage", "release", "want", "enter", "done"],
  "a cut-over": ["claim", "page", "close", "apache", "haproxy", "done"],
  "a way back": ["claim", "page", "haproxy", "apache", "done"],
} as const satisfies Record<string, readonly PoolStep[]>;

type Change = keyof typeof steps;
type Incident = `${Change} ${PoolIncident}`;
interface PoolCase extends Case<Incident, PoolStep> {
  readonly change: Change;
  readonly stop: PoolIncident;
}

const sampled: readonly string[] = [
  "a release fails after drain",
  "a release is killed in release",
  "a release loses a server in enter",
  "a leave fails after drain",
  "a leave loses a balancer in want",
  "an entry fails before enter",
  "an entry is killed in want",
  "a cut-over fails after apache",
  "a cut-over is killed in haproxy",
  "a way back fails after haproxy",
];

/** A loss of the machine that a step does not run on says nothing of the step. */
const losesServer: readonly PoolStep[] = ["drain", "release", "enter", "close"];

const casesOf = (...changes: readonly Change[]): PoolCase[] =>
  chosen(
    changes.flatMap((change) =>
      steps[change].flatMap((step) =>
        poolIncidents
          .filter((stop) => stop !== "loses a server in" || losesServer.includes(step))
          .map((stop): PoolCase => {
            const incident: Incident = `${change} ${stop}`;
            // Who failed after the work of a step has it to take back; the others go on.
            const ending = stop === "fails after" ? "back" : "finish";
            return {
              change,
              stop,
              step,
              incident,
              ending,
              sampled: sampled.includes(`${incident} ${step}`),
            };
          }),
      ),
    ),
  );

/** What users of a lost machine saw is not counted: nobody could move them. */
const counts = ({ stop }: PoolCase) => !stop.startsWith("loses");

/** Whatever stops in the middle, the state is whole and the hosts are as it says. */
const whole = async (site: PoolSite) => {
  const { resources, pending } = await site.estate.project.state();
  expect(pending).toEqual([]);
  expect(resources.filter((entry) => entry.delete)).toEqual([]);
  const verified = await site.estate.verify();
  expect(verified.code, verified.output).toBe(0);
};

const [poolCases, edgeCases] = [
  casesOf("a release", "a leave", "an entry"),
  casesOf("a cut-over", "a way back"),
];

/** Three servers behind two balancers. */
describe.skipIf(whyNoLab() !== undefined || poolCases.length === 0)(
  "a pool whose change is stopped half-way",
  () => {
    let site: PoolSite;
    const everybody = { prodapp01: "in", prodapp02: "in", prodapp03: "in" };
    let now: { release: string; servers: Readonly<Record<string, string>> } = {
      release: "4684",
      servers: everybody,
    };

    beforeAll(async () => {
      site = await PoolSite.start(["websvr", "websvr2"], Object.keys(everybody), { bakeSeconds: 1 });
      await site.users();
    }, 10 * minute);

    afterAll(async () => {
      await site.stop();
    }, minute);

    /** What a change begins with, and where it goes. */
    const ways = (change: Change) => {
      const out = { ...everybody, prodapp03: "out" };
      // Of two that are left one may be taken out by a release; here none is.
      const minHealthy = change === "a release" ? 2 : 1;
      const release = now.release === "4684" ? "4685" : "4684";
      // A server that was out has nothing to do for a release that it has; it comes in when there is another.
      const from =
        change === "an entry"
          ? { release, servers: out, minHealthy }
          : { release: now.release, servers: everybody, minHealthy };
      const to = {
        "a release": { ...from, release },
        "a leave": { ...from, servers: out },
        "an entry": { ...from, servers: everybody },
        "a cut-over": from,
        "a way back": from,
      }[change];
      return { from, to };
    };

    /** Who is in serves the release at every balancer, and nobody else serves; enough were up all the time. */
    const settledIn = async (wanted: typeof now, least: number, balancers = site.balancers) => {
      now = wanted;
      const inside = site.servers.filter((name) => wanted.servers[name] === "in");
      const running = await site.running();
      expect(inside.map((name) => running[name])).toEqual(inside.map(() => wanted.release));
      for (const balancer of site.balancers)
        expect(await site.states(balancer)).toEqual(
          Object.fromEntries(
            site.servers.map((name) => [name, wanted.servers[name] === "in" ? "UP" : "MAINT"]),
          ),
        );
      expect(await site.fewestHealthy(balancers)).toBeGreaterThanOrEqual(least);
      await whole(site);
    };

    it.for(poolCases)(
      "loses no request and no server when $incident $step, and then: $ending",
      recorded(async (one: PoolCase) => {
        const { from, to } = ways(one.change);
        site.set(from);
        if (JSON.stringify(from) !== JSON.stringify(now)) ok(await site.estate.up());
        await site.watchHealthy();
        const seen = await site.seen(async () => {
          site.set(to);
          await stopIn(site, one.step, one.stop);
          if (one.ending === "back") site.set(from);
          await recover(site, one.stop);
        });
        if (counts(one)) expect(seen.failed, JSON.stringify(seen)).toBe(0);
        // A server that dies is one less, whoever is out; a balancer that is cut off sees nobody.
        const present = one.stop === "loses a balancer in" ? site.balancers.slice(0, -1) : site.balancers;
        await settledIn(one.ending === "back" ? from : to, one.stop === "loses a server in" ? 1 : 2, present);
      }),
    );
  },
);

/** One address that Apache served, and HAProxy is to. */
describe.skipIf(whyNoLab() !== undefined || edgeCases.length === 0)(
  "an edge whose cut-over is stopped half-way",
  () => {
    let site: PoolSite;
    let edge: "apache" | "haproxy" = "apache";

    beforeAll(async () => {
      site = await PoolSite.start(["websvr"], ["prodapp01", "prodapp02"], {
        edge,
        apache: "kept",
        apacheServer: "prodapp01",
        bakeSeconds: 1,
      });
      await site.watchListeners();
    }, 10 * minute);

    afterAll(async () => {
      await site.stop();
    }, minute);

    it.for(edgeCases)(
      "is served by one of them, never by both, when $incident $step, and then: $ending",
      recorded(async (one: PoolCase) => {
        const [from, to] =
          one.change === "a cut-over" ? (["apache", "haproxy"] as const) : (["haproxy", "apache"] as const);
        site.set({ edge: from });
        if (edge !== from) ok(await site.estate.up());
        site.set({ edge: to });
        await stopIn(site, one.step, one.stop);
        edge = one.ending === "back" ? from : to;
        site.set({ edge });
        await recover(site, one.stop);
        const answer = await fetch(`${site.targets[0] ?? ""}/`);
        expect(answer.status).toBe(200);
        expect(answer.headers.get("server")?.startsWith("Apache") ?? false).toBe(edge === "apache");
        expect(await site.listeners()).not.toContain("apache2+haproxy");
        await whole(site);
      }),
    );
  },
);
