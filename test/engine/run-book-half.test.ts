import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { toldIn } from "../support/printed-books.ts";
import { failed, ok } from "../support/runs.ts";
import { committedStack } from "../support/stack-file.ts";
import { ToldStack } from "../support/told-stack.ts";
import { isSettled, outcomeOf, runsAsTold, tells } from "./told.ts";

const open = "open: the last update did not end here; npx pulumi up goes on where it stopped";

const { pairs } = committedStack("Pulumi.dev.yaml") as { readonly pairs: { readonly sounz: object } };

describe("an update that stopped half-way", () => {
  let stack: ToldStack;
  const wants = (production: string) => {
    stack.set({ pairs: { sounz: { ...pairs.sounz, production } } });
  };
  const failsAt = async (step: string) => {
    stack.hosts.failing.add(step);
    failed(await stack.up());
    stack.hosts.failing.clear();
    return stack.ran().map(({ name }) => name);
  };

  beforeAll(async () => {
    stack = await ToldStack.start({ platform: "local", hosts: { slayer: {}, megadeth: {} }, pairs });
  });
  beforeEach(() => {
    wants("slayer");
  });
  afterAll(() => {
    stack.stop();
  });

  it("is open at its first step: nothing of it has run, and no output says that it is complete", async () => {
    expect(await failsAt("sounz-provision-preflight")).toEqual(["sounz-provision-preflight"]);
    expect(await outcomeOf(stack)).toEqual({ sounz: open });
    const told = await runsAsTold(stack, "begun-pair");
    expect(told).toContain(
      "sounz-provision: none of its 15 steps has run yet; the goal is still primary slayer, ",
    );
    expect(await outcomeOf(stack)).toEqual({ sounz: "complete" });
    stack.save("normal");
  });

  it("goes on at the step that failed, by its number, with the goal that it had, and a run that was resumed is no measure [004-074]", async () => {
    wants("megadeth");
    const ran = await failsAt("sounz-switch-takeover");
    expect(ran.at(-1)).toBe("sounz-switch-takeover");
    expect(await outcomeOf(stack)).toEqual({ sounz: open });
    stack.save("half");
    const told = await runsAsTold(stack, "half-pair");
    expect(told).toContain(
      "sounz-switch is half done: it goes on at step 7 of 18; the goal is still production megadeth\n",
    );
    expect(told).toContain(
      "users notice: the service address does not answer, since fence and until services\n",
    );
    expect(await outcomeOf(stack)).toEqual({ sounz: "complete" });
    wants("slayer");
    expect(toldIn((await stack.preview()).output)).toContain("; not measured on this stack\n");
  });

  it("goes back when the goal is flipped back, by every step", async () => {
    stack.restore("half");
    const told = await runsAsTold(stack, "half-back-pair");
    expect(told).toContain(
      "sounz-switch: 18 steps; goal: production megadeth => slayer; the update before stopped half-way\n",
    );
    await isSettled(stack);
  });

  it("says of what has run already that it has run", async () => {
    stack.restore("normal");
    wants("megadeth");
    await failsAt("sounz-switch-done-slayer");
    const told = toldIn((await stack.preview()).output);
    expect(told).toContain("sounz-switch is half done: it goes on at step 17 of 18; ");
    expect(told).toContain("\n  users notice: nothing\n  point of no return: takeover, which has run\n");
    expect(await outcomeOf(stack)).toEqual({ sounz: open });
  });

  it("has no run-book for a release that only says it in other words", async () => {
    stack.restore("normal");
    const file = join(stack.project.folder, "state", ".pulumi", "stacks", "changeover", "test.json");
    const state = readFileSync(file, "utf8");
    expect(state).toContain('"status file updated"');
    writeFileSync(file, state.replaceAll('"status file updated"', '"the status file says what is so"'));
    const told = await tells(stack, "reworded-pair");
    expect(told).not.toContain("run-book");
    ok(await stack.up());
    expect(
      stack
        .ran()
        .map(({ name }) => name)
        .sort(),
    ).toEqual(["sounz-switch-status-megadeth", "sounz-switch-status-slayer"]);
  });
});
