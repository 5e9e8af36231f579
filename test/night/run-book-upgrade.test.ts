import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toldIn } from "../support/printed-books.ts";
import { failed } from "../support/runs.ts";
import { committedStack } from "../support/stack-file.ts";
import { ToldStack } from "../support/told-stack.ts";
import { isSettled, outcomeOf, runsAsTold } from "../engine/told.ts";

const { stagedUpgrades, hosts: all } = committedStack("Pulumi.dev.yaml") as {
  readonly stagedUpgrades: { readonly scalr: { readonly hosts: Readonly<Record<string, string>> } };
  readonly hosts: Readonly<Record<string, object>>;
};
const { scalr } = stagedUpgrades;
const hosts = Object.fromEntries(Object.entries(all).filter(([name]) => name in scalr.hosts));

describe("the run-book that the CLI prints for a staged upgrade", () => {
  let stack: ToldStack;
  const wants = (change: object, more: object = {}) => {
    stack.set({ stagedUpgrades: { scalr: { ...scalr, ...change } }, ...more });
  };

  beforeAll(async () => {
    stack = await ToldStack.start({ platform: "local", hosts, stagedUpgrades });
  });
  afterAll(() => {
    stack.stop();
  });

  it("is that of the golden file for a first update", async () => {
    await runsAsTold(stack, "create-upgrade");
    await isSettled(stack);
    stack.save("settled");
  });

  it("is that of the golden file for another version: one barrier after another, the main database first [000-006] [000-014] [000-016] [000-020] [000-021] [000-023] [000-024] [000-084] [000-085] [000-086] [000-087] [000-089]", async () => {
    wants({ version: "7.4.0-1" });
    stack.hosts.version = "7.4.0-1";
    const told = await runsAsTold(stack, "upgrade");
    expect(told).toContain("point of no return: reconfigure-main\n");
    expect(await outcomeOf(stack)).toEqual({ scalr: "complete" });
    stack.save("upgraded");
  });

  it("is that of the golden file for the version before, and takes no measure from the way forward", async () => {
    wants({ version: "7.3.0-1", acceptDataLoss: "20261130T100000: 7.4.0-1 is bad" });
    const told = await runsAsTold(stack, "upgrade-back");
    expect(told).toContain("from stop to reconfigure; not measured on this stack\n");
    expect(told).toContain("needs: what users wrote since the backup 20261130T100000 is given up\n");
    wants({ version: "7.4.0-1" });
    expect(toldIn((await stack.preview()).output)).toMatch(/; \d+\.\d s in 1 run on this stack\n/);
  });

  it("says what has run of it already, and goes on there", async () => {
    stack.restore("settled");
    wants({ version: "7.4.0-1" });
    stack.hosts.failing.add("scalr-upgrade-health-main");
    failed(await stack.up());
    stack.hosts.failing.clear();
    stack.ran();
    stack.save("half");
    const told = await runsAsTold(stack, "half-upgrade");
    expect(told).toContain("users notice: the site is stopped, since stop and until reconfigure\n");
    expect(told).toContain("point of no return: reconfigure-main, which has run\n");
  });

  it("says that nothing goes on while a host is lost, and then nothing does", async () => {
    stack.restore("half");
    wants({ version: "7.4.0-1" }, { unreachable: ["scalr-app2"] });
    const told = toldIn((await stack.preview()).output);
    expect(told).toContain(
      "scalr-upgrade: nothing of it goes on\n  refused: scalr: upgrade stays as it is while scalr-app2 is in changeover:unreachable; ",
    );
    expect(told).not.toMatch(/^ +[\d-]+\. /m);
    const before = stack.dials;
    const up = await stack.up();
    failed(up);
    expect(up.output).toContain(
      "refused: scalr: upgrade stays as it is while scalr-app2 is in changeover:unreachable",
    );
    expect(stack.ran()).toEqual([]);
    expect(stack.dials - before).toBe(0);
  });

  it("is that of the golden file for a host more: its own steps, in transitions that stay as they are", async () => {
    stack.restore("settled");
    wants(
      { hosts: { ...scalr.hosts, "scalr-app3": "app" } },
      { hosts: { ...hosts, "scalr-app3": all["scalr-app2"] } },
    );
    const told = await runsAsTold(stack, "host-more");
    expect(told).toMatch(/^scalr-upgrade: \d+ steps for scalr-app3; the goal is the same$/m);
  });
});
