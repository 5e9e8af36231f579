import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  type Mark,
  markDifferences,
  type MarkFacts,
  openDifferences,
  openOf,
} from "../../transition/marks.ts";
import { openTransitions } from "../../transition/open.ts";
import { Bench } from "../support/engine.ts";
import { failed, ok } from "../support/runs.ts";
import type { TestRow } from "../engine/scenario.ts";

const root = join(import.meta.dirname, "..", "..");

const provisionRows: readonly TestRow[] = [
  { phase: "packages", on: "each" },
  { phase: "configure", on: "each" },
];
const switchRows: readonly TestRow[] = [
  { phase: "fence", on: "standby" },
  { phase: "promote", on: "production" },
  { phase: "check", on: "production" },
];
const toA = { production: "a", standby: "b" };
const toB = { production: "b", standby: "a" };

describe("a provisioning that begins while a switch is open", () => {
  let bench: Bench;
  const provision = { rows: provisionRows, goal: { clients: "none" }, pauses: "switch" };
  const before = { provision, switch: { rows: switchRows, goal: toA } };

  beforeAll(async () => {
    bench = await Bench.start(["a", "b"], { transitions: before });
  });
  afterAll(() => bench.stop());
  beforeEach(async () => {
    for (const host of ["a", "b"]) bench.control(host, {});
    bench.set({ transitions: before });
    ok(await bench.project.up());
    bench.trace();
  });

  /** Flip to `b`, and fail at this phase. */
  const failIn = async (phase: string) => {
    for (const host of ["a", "b"]) bench.control(host, { [`${phase}.fail`]: "1" });
    bench.goal("switch", toB);
    failed(await bench.project.up());
    for (const host of ["a", "b"]) bench.control(host, {});
    bench.trace();
  };
  const both = (...phases: string[]) => phases.flatMap((phase) => [`${phase}@a`, `${phase}@b`]);
  /** Both hosts do a phase of `each` at once. */
  const sortedPairs = (acts: string[], pairs: number) => [
    ...Array.from({ length: pairs }, (_, index) => acts.slice(2 * index, 2 * index + 2).sort()).flat(),
    ...acts.slice(2 * pairs),
  ];

  it.each([
    ["fence", ["fence@a", "promote@b", "check@b"]],
    ["promote", ["promote@b", "check@b"]],
    ["check", ["check@b"]],
  ])("lets it go on where it failed, at %s, in one update", async (phase, rest) => {
    await failIn(phase);
    bench.goal("provision", { clients: phase });
    ok(await bench.project.up());
    expect(sortedPairs(bench.acts(), 2)).toEqual([...both("packages", "configure"), ...rest]);
    ok(await bench.project.up());
    expect(bench.acts()).toEqual([]);
  });

  it("does so too after it failed half-way itself, and after its goal changed meanwhile", async () => {
    await failIn("check");
    bench.control("b", { "configure.fail": "1" });
    bench.goal("provision", { clients: "one" });
    failed(await bench.project.up());
    bench.goal("provision", { clients: "two" });
    failed(await bench.project.up());
    bench.control("b", {});
    bench.trace();
    ok(await bench.project.up());
    expect(bench.acts()).toEqual(["configure@b", "check@b"]);
  });

  it("gives way to a newer switch", async () => {
    await failIn("check");
    bench.control("b", { "configure.fail": "1" });
    bench.goal("provision", { clients: "three" });
    failed(await bench.project.up());
    bench.control("b", {});
    bench.goal("switch", toA);
    bench.trace();
    ok(await bench.project.up());
    expect(bench.acts()).toEqual(["configure@b", "fence@b", "promote@a", "check@a"]);
  });

  /** What `npm run verify` says of the records. */
  const verified = async () => {
    const { resources } = await bench.project.state();
    const ids = ["provision", "switch"].flatMap((transition) => {
      const entry = resources.find((one) => one.urn.endsWith(`::c-${transition}-id`) && !one.delete);
      return ["a", "b"].map((host): Mark => ({
        ...{ host, component: "c", transition },
        id: String(entry?.outputs?.hex),
      }));
    });
    const looks = ["a", "b"].map((host) => {
      const { stdout } = spawnSync("python3", [join(root, "scripts", "marks.py"), "c"], {
        encoding: "utf8",
        env: { ...process.env, CHANGEOVER_ROOT: bench.rootOf(host) },
      });
      return { host, facts: JSON.parse(stdout) as MarkFacts };
    });
    const open = openOf(ids, openTransitions(resources));
    return [...openDifferences(open, ids, looks), ...markDifferences(ids, looks, "engine-tests", open)];
  };
  const continues = (transition: string): unknown =>
    expect.stringMatching(RegExp(`^c-${transition} \\w{16} has not ended; continue: npx pulumi up$`));

  it("is one line with one cure for who verifies, and `up` is the cure", async () => {
    expect(await verified()).toEqual([]);
    await failIn("check");
    expect(await verified()).toEqual([continues("switch")]);
    bench.control("b", { "configure.fail": "1" });
    bench.goal("provision", { clients: "five" });
    failed(await bench.project.up());
    expect((await verified()).sort()).toEqual([continues("provision"), continues("switch")]);
    bench.control("b", {});
    ok(await bench.project.up());
    expect(await verified()).toEqual([]);
  });

  it("is told apart from a host that another run has claimed, where `up` would be refused", async () => {
    await failIn("check");
    const other = ["c", "switch", "by-hand-99", "engine-tests", "99"];
    const claimed = spawnSync("bash", [join(root, "scripts", "claim.sh"), ...other], {
      env: { ...process.env, CHANGEOVER_ROOT: bench.rootOf("a") },
    });
    expect(claimed.status).toBe(0);
    expect(await verified()).toEqual([
      expect.stringMatching(
        /^c-switch \w{16} has not ended, a is claimed by switch by-hand-99; start it again: npx pulumi up --replace '\*\*::c-switch-id'$/,
      ),
    ]);
    const refused = await bench.project.up();
    failed(refused);
    expect(refused.output).toContain("is claimed by switch by-hand-99");
    ok(await bench.project.up("--replace", "**::c-switch-id"));
    expect(await verified()).toEqual([]);
  });

  it("starts nothing when the switch has ended", async () => {
    bench.goal("provision", { clients: "four" });
    ok(await bench.project.up());
    expect(sortedPairs(bench.acts(), 2)).toEqual(both("packages", "configure"));
  });
});

describe("claims of a provisioning over a switch", () => {
  const folder = mkdtempSync(join(tmpdir(), "changeover-pause-"));
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  /** The scripts on a host of its own. */
  const host = () => {
    const at = mkdtempSync(join(folder, "host-"));
    const run = (script: string, ...words: string[]) =>
      spawnSync("bash", [...script.split(" "), ...words], {
        cwd: join(root, "scripts"),
        encoding: "utf8",
        env: { ...process.env, CHANGEOVER_ROOT: at },
      });
    return {
      claim: (transition: string, id: string, epoch: number, stack = "s", ...adopted: string[]) => {
        const pauses = transition === "provision" ? ["--pauses", "switch"] : [];
        return run("claim.sh", ...pauses, "c", transition, id, stack, String(epoch), ...adopted).status;
      },
      done: (transition: string, id: string) => run("done.sh", "c", transition, id).status,
      acts: (transition: string, id: string) => {
        const words = `. lib.sh; CHANGEOVER_COMPONENT=c CHANGEOVER_TRANSITION=$1 CHANGEOVER_ID=$2; ! is_done || exit 1; require_claim`;
        return run("-c", words, "acts", transition, id);
      },
      claimed: () =>
        run(
          "-c",
          '. lib.sh; for key in id transition epoch; do value_of "$CHANGEOVER_ROOT/c/claim" $key; done',
        ).stdout,
      epoch: () => Number(run("-c", '. lib.sh; value_of "$CHANGEOVER_ROOT/c/claim" epoch').stdout),
    };
  };

  it("say that the provisioning comes first, while it is open", () => {
    const { claim, acts, done, claimed } = host();
    claim("switch", "s1", 1);
    claim("provision", "p1", 2);
    const refused = acts("switch", "s1");
    expect(refused.status).toBe(77);
    expect(refused.stderr).toMatch(
      /is claimed by provision p1, not by switch s1; provision comes first: npx pulumi up/,
    );
    expect(acts("switch", "s0").stderr).toMatch(/not by switch s0; start again: npx pulumi up --replace/);
    expect([done("provision", "p1"), acts("switch", "s1").status]).toEqual([0, 0]);
    // The record says that the switch is open, so that a preflight lets a newer one go on from there.
    expect(claimed()).toBe("s1\nswitch\n2\n");
  });

  it("give nothing back to a stack whose host was taken over", () => {
    const { claim, acts, done } = host();
    claim("switch", "s1", 1, "old");
    expect(claim("provision", "p1", 2, "new", "old")).toBe(0);
    expect([done("provision", "p1"), acts("switch", "s1").status]).toEqual([0, 77]);
  });

  it("fence out whatever is older, keep the epoch, and give back only what no newer switch has replaced", () => {
    const event = fc.record({
      transition: fc.constantFrom("provision" as const, "switch" as const),
      ends: fc.boolean(),
      /** A run that is late: its look at the hosts was before the last claim. */
      late: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(event, { minLength: 1, maxLength: 6 }), (events) => {
        const { claim, done, acts, epoch } = host();
        // What may act, by the rule: the last claim; or, when that provisioning has ended, the switch that it paused.
        let [open, paused, last] = [undefined, undefined, 0] as [
          string | undefined,
          string | undefined,
          number,
        ];
        const begun: [string, string][] = [];
        for (const [index, { transition, ends, late }] of events.entries()) {
          const id = `${transition}-${String(index)}`;
          if (late && last > 0) {
            expect(claim(transition, id, last)).toBe(77);
          } else {
            last++;
            expect(claim(transition, id, last)).toBe(0);
            if (transition === "switch") paused = undefined;
            else if (open?.startsWith("switch")) paused = open;
            open = id;
            if (ends) {
              expect(done(transition, id)).toBe(0);
              [open, paused] = [paused, undefined];
            }
          }
          begun.push([transition, id]);
          expect(epoch()).toBe(last);
          const may = begun.filter(([name, one]) => acts(name, one).status === 0).map(([, one]) => one);
          expect(may).toEqual(open === undefined ? [] : [open]);
        }
      }),
      { numRuns: 25 },
    );
  });
});
