import { afterEach, describe, expect, it } from "vitest";
import { unfinished } from "../../transition/open.ts";
import { Bench } from "../support/engine.ts";
import { ok } from "../support/runs.ts";
import { stepsIn } from "../support/previewed.ts";
import type { TestRow } from "./scenario.ts";

const rows: readonly TestRow[] = [
  { phase: "go", on: "each", shows: ["release"], verdict: true },
  { phase: "back", on: "each", shows: ["release"], onlyIfBad: true },
];

describe("a row that runs only when something was bad", () => {
  let bench: Bench;
  afterEach(() => bench.stop());

  const said = async () => {
    const { resources, pending } = await bench.project.state();
    return unfinished(resources, pending);
  };

  it("stays as it is from goal to goal, runs when it is needed, and leaves nothing open", async () => {
    bench = await Bench.start(["a", "b"], { transitions: { roll: { rows, goal: { release: "1" } } } });
    ok(await bench.project.up());
    expect(bench.acts().sort()).toEqual(["go 1@a", "go 1@b"]);

    bench.goal("roll", { release: "2" });
    const preview = await bench.project.pulumi(["preview"]);
    ok(preview);
    expect(stepsIn(preview.output, "c"), "nobody knows yet").toContain("c-roll-back-act-a");
    const good = await bench.project.up();
    ok(good);
    expect(bench.acts().sort()).toEqual(["go 2@a", "go 2@b"]);
    expect(stepsIn(good.output, "c")).not.toContain("c-roll-back-act-a");
    expect(await said()).toEqual([]);

    bench.control("b", { "go.bad": "too hot" });
    bench.goal("roll", { release: "3" });
    ok(await bench.project.up());
    expect(bench.acts().sort()).toEqual(["back 3@a", "back 3@b", "go 3@a", "go 3@b"]);
    expect(await said()).toEqual([]);
    ok(await bench.project.up());
    expect(bench.acts(), "what was taken back is not taken back again").toEqual([]);

    bench.control("b", {});
    bench.goal("roll", { release: "4" });
    ok(await bench.project.up());
    expect(bench.acts().sort()).toEqual(["go 4@a", "go 4@b"]);
    expect(await said()).toEqual([]);
  });
});
