import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectRanAsTold, toldIn } from "../support/printed-books.ts";
import { failed, ok } from "../support/runs.ts";
import { committedStack } from "../support/stack-file.ts";
import { ToldStack } from "../support/told-stack.ts";
import { isSettled, outcomeOf, runsAsTold, tells } from "./told.ts";

const { appPools } = committedStack("Pulumi.dev.yaml") as {
  readonly appPools: { readonly crossbow: Readonly<Record<string, unknown>> };
};
// What other systems give it would be hundreds of resources more, and no step of a release depends on them.
const { database: _, cache: __, links: ___, ...crossbow } = appPools.crossbow;

describe("the run-book that the CLI prints for a pool", () => {
  let stack: ToldStack;
  const servers = { prodapp01: "in", prodapp02: "in" };
  const wants = (change: object) => {
    stack.set({ appPools: { crossbow: { ...crossbow, ...change } } });
  };

  beforeAll(async () => {
    stack = await ToldStack.start({
      platform: "local",
      hosts: { websvr: {}, prodapp01: {}, prodapp02: {}, prodapp03: {} },
      appPools: { crossbow },
    });
  });
  afterAll(() => {
    stack.stop();
  });

  it("is that of the golden file for a first update, with a few words for each of its many small transitions", async () => {
    await runsAsTold(stack, "create-pool");
    await isSettled(stack);
    stack.save("settled");
  });

  it("is that of the golden file for a release, the list of what ships; what is only for a bad one does not run [001-085]", async () => {
    wants({ release: "4685" });
    const told = await runsAsTold(stack, "release");
    expect(told).toContain(
      "crossbow-release-roll: 15 steps, and 7 only if needed; goal: revision 4684 => 4685\n",
    );
    await isSettled(stack);
  });

  it("goes back by the same steps, which then have been needed", async () => {
    stack.restore("settled");
    wants({ release: "4685" });
    stack.hosts.bad.add("crossbow-release-roll-release-prodapp01");
    stack.hosts.failing.add("crossbow-release-roll-verdict");
    const told = toldIn((await stack.preview()).output);
    failed(await stack.up());
    const ran = stack.ran().map(({ name }) => name);
    expect(ran).toContain("crossbow-release-roll-back-prodapp01");
    expect(ran).not.toContain("crossbow-release-roll-release-prodapp02");
    expect(told).toContain("only if the release is bad: the application runs its previous release again");
    expect((await outcomeOf(stack)).crossbow).toMatch(/^open: /);
  });

  it("is that of the golden file for a server more: its own steps, in transitions that stay as they are", async () => {
    stack.restore("settled");
    wants({ servers: { ...servers, prodapp03: "in" } });
    const told = await runsAsTold(stack, "server-more");
    expect(told).toMatch(
      /^crossbow-release-roll: 6 steps for prodapp03, and 10 only if needed; the goal is the same$/m,
    );
  });

  it("is that of the golden file for maintenance", async () => {
    stack.restore("settled");
    wants({ maintenance: true });
    const told = await runsAsTold(stack, "maintenance");
    expect(told).toContain("users notice: the maintenance page, from ");
  });

  it("is that of the golden file for a server that leaves traffic, without a step on the server", async () => {
    stack.restore("settled");
    wants({ servers: { ...servers, prodapp02: "out" } });
    const told = await tells(stack, "server-out");
    ok(await stack.up());
    const ran = stack.ran();
    expectRanAsTold(told, ran);
    expect(ran.filter(({ triggers }) => triggers.host === "prodapp02")).toEqual([]);
  });
});
