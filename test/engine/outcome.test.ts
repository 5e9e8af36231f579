import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { toldIn } from "../support/printed-books.ts";
import { failed, ok } from "../support/runs.ts";
import { committedStack } from "../support/stack-file.ts";
import { ToldStack } from "../support/told-stack.ts";
import { outcomeOf } from "./told.ts";

const open = "open: the last update did not end here; npx pulumi up goes on where it stopped";

const { pairs, stagedUpgrades, hosts } = committedStack("Pulumi.dev.yaml") as {
  readonly pairs: { readonly sounz: object };
  readonly stagedUpgrades: { readonly scalr: { readonly hosts: object } };
  readonly hosts: Readonly<Record<string, object>>;
};
const both = { slayer: {}, megadeth: {} };

describe("the outcome that a stack exports", () => {
  let stack: ToldStack;
  const wants = (production: string, more: object = {}) => {
    stack.set({ pairs: { sounz: { ...pairs.sounz, production } }, ...more });
  };
  const failsAt = async (step: string) => {
    stack.hosts.failing.add(step);
    failed(await stack.up());
    stack.hosts.failing.clear();
    return stack.ran().map(({ name }) => name);
  };

  beforeAll(async () => {
    stack = await ToldStack.start({ platform: "local", hosts: both, pairs });
  });
  beforeEach(() => {
    wants("slayer");
  });
  afterAll(() => {
    stack.stop();
  });

  it("is open after a first update that failed, and complete after one that ended well", async () => {
    await failsAt("sounz-switch-done-slayer");
    expect(await outcomeOf(stack)).toEqual({ sounz: open });
    ok(await stack.up());
    expect(await outcomeOf(stack)).toEqual({ sounz: "complete" });
    stack.save("normal");
  });

  it("is open after an update that failed, and so is what each machine is; all other outputs stay as they were, and what was measured", async () => {
    for (const production of ["megadeth", "slayer"]) {
      wants(production);
      ok(await stack.up());
    }
    // Each state has its own encryption.
    const shown = async () => {
      const { ownerPasswords, ...outputs } = await stack.outputs();
      expect((ownerPasswords as { readonly sounz: object }).sounz).toHaveProperty("ciphertext");
      return outputs;
    };
    const before = await shown();
    expect(Object.keys(before)).toContain("sshConfig");
    wants("megadeth");
    await failsAt("sounz-switch-ready");
    expect(before.statuses).toEqual({ sounz: { slayer: "production", megadeth: "standby" } });
    const statuses = { sounz: { slayer: "open", megadeth: "open" } };
    expect(await shown()).toEqual({ ...before, outcome: { sounz: open }, statuses });
    wants("slayer");
    expect(toldIn((await stack.preview()).output)).toContain("; 1.5 s in 2 runs on this stack\n");
  });

  it("is told apart by entry: one of them has ended", async () => {
    stack.restore("normal");
    const { scalr } = stagedUpgrades;
    const names = Object.keys(scalr.hosts);
    const more = Object.fromEntries(names.map((name) => [name, hosts[name]]));
    wants("megadeth", { hosts: { ...both, ...more }, stagedUpgrades: { scalr } });
    // Neither waits for the other, and by then the switch has ended.
    stack.hosts.slow.set("scalr-upgrade-green", 4000);
    expect(await failsAt("scalr-upgrade-green")).toContain("sounz-switch-done-slayer");
    expect(await outcomeOf(stack)).toEqual({ sounz: "complete", scalr: open });
    ok(await stack.up());
    expect(await outcomeOf(stack)).toEqual({ sounz: "complete", scalr: "complete" });
  });

  it("is open after an update of one target, which ends well; a refresh and a target of a settled stack change nothing", async () => {
    stack.restore("normal");
    ok(await stack.up("--target", "**::sounz-switch-ready"));
    expect(await outcomeOf(stack)).toEqual({ sounz: "complete" });
    wants("megadeth");
    ok(await stack.up("--target", "**::sounz-switch-id"));
    expect(await outcomeOf(stack)).toEqual({ sounz: open });
    expect((await stack.outputs()).statuses).toEqual({ sounz: { slayer: "open", megadeth: "open" } });
    ok(await stack.project.pulumi(["refresh", "--yes", "--skip-preview"]));
    expect(await outcomeOf(stack)).toEqual({ sounz: open });
    ok(await stack.up());
    expect(await outcomeOf(stack)).toEqual({ sounz: "complete" });
    ok(await stack.project.pulumi(["destroy", "--yes", "--skip-preview"]));
    expect(await stack.outputs()).toEqual({});
  });
});
