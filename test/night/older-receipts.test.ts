import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { unfinished } from "../../transition/open.ts";
import { badOf, timesOf, tailOf } from "../../transition/receipt.ts";
import { Bench } from "../support/engine.ts";
import { failed, ok } from "../support/runs.ts";
import type { TestRow } from "../engine/scenario.ts";

const rows: readonly TestRow[] = [
  { phase: "go", on: "each", shows: ["release"], verdict: true },
  { phase: "back", on: "each", shows: ["release"], onlyIfBad: true },
];

interface Exported {
  readonly deployment: { readonly resources: readonly { readonly outputs?: { stdout?: string } }[] };
}

/** Put the state back as an older release would have left it: what programs read stood in the prose. */
async function asAnOlderRelease({ project }: Bench): Promise<readonly string[]> {
  const file = join(project.folder, "older.json");
  ok(await project.pulumi(["stack", "export", "--file", file]));
  const state = JSON.parse(readFileSync(file, "utf8")) as Exported;
  const said = state.deployment.resources.flatMap(({ outputs }) => {
    if (!outputs?.stdout) return [];
    const { epoch } = tailOf(outputs.stdout);
    const bad = badOf(outputs.stdout);
    const [prose = ""] = outputs.stdout.split(" | ");
    if (epoch !== undefined) outputs.stdout = `c may go on, epoch ${epoch}`;
    else outputs.stdout = bad === undefined ? prose : prose.replace(/( \d+\.\d\d)$/, ` seen, bad: ${bad}$1`);
    return [outputs.stdout];
  });
  writeFileSync(file, JSON.stringify(state));
  ok(await project.pulumi(["stack", "import", "--file", file]));
  return said;
}

describe("receipts in the state", () => {
  let bench: Bench;
  afterEach(() => bench.stop());

  it("of an older release let a transition go on that stopped half-way, and a release that rewords a row acts on nothing", async () => {
    bench = await Bench.start(["a", "b"], { transitions: { roll: { rows, goal: { release: "1" } } } });
    ok(await bench.project.up());
    bench.acts();

    // Between the preflight and the claim of b.
    bench.goal("roll", { release: "2" });
    bench.control("b", { "go.bad": "too hot", "back.fail": "1" });
    const owner = join(bench.rootOf("b"), "c", "stack");
    const before = readFileSync(owner);
    writeFileSync(owner, "id=another\n");
    failed(await bench.project.up());
    expect(await asAnOlderRelease(bench)).toContain("c may go on, epoch 2");
    writeFileSync(owner, before);

    // Between a verdict and what it calls for.
    failed(await bench.project.up());
    expect(readFileSync(join(bench.rootOf("b"), "c", "claim"), "utf8")).toContain("epoch=2\n");
    expect(bench.acts().sort()).toEqual(["back 2@a", "go 2@a", "go 2@b"]);
    const said = await asAnOlderRelease(bench);
    expect(said.join("\n")).toMatch(/^c go is so seen, bad: too hot \d+\.\d\d$/m);
    bench.control("b", {});
    ok(await bench.project.up());
    expect(bench.acts()).toEqual(["back 2@b"]);

    await asAnOlderRelease(bench);
    ok(await bench.project.up());
    expect(bench.acts(), "it is over").toEqual([]);
    bench.rows(
      "roll",
      rows.map((row) => ({ ...row, says: `${row.phase}, in other words` })),
    );
    const reworded = Date.now();
    ok(await bench.project.up());
    expect(bench.acts(), "on hosts with the mark of this id").toEqual([]);
    const { resources, pending } = await bench.project.state();
    const receipts = resources.flatMap(({ outputs }) => (outputs?.stdout ? [outputs.stdout as string] : []));
    const complete = receipts.filter((receipt) => tailOf(receipt).complete === "yes");
    expect(complete).toHaveLength(2);
    for (const receipt of complete) {
      expect(timesOf(receipt)?.began.getTime(), "when it was found complete").toBeGreaterThanOrEqual(
        reworded,
      );
      expect(timesOf(receipt)?.seconds).toBeLessThan(5);
    }
    expect(unfinished(resources, pending)).toEqual([]);
    rmSync(join(bench.project.folder, "older.json"));
  });
});
