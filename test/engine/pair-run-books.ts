import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { booksIn, expectRanAsTold, toldIn, toldInJson } from "../support/printed-books.ts";
import { ok } from "../support/runs.ts";
import { committedStack } from "../support/stack-file.ts";
import { ToldStack } from "../support/told-stack.ts";
import { isSettled, outcomeOf, runsAsTold, tells } from "./told.ts";

/** No step of the pair depends on them, and each update would have hundreds of resources. */
const pairAlone = { stagedUpgrades: {}, appPools: {}, sharedVolumes: {}, caches: {} };

const stacks = {
  dev: { hosts: { slayer: {}, megadeth: {} } },
  // Nothing logs in with it, and an update asks for it.
  prod: { ssh: { user: "admin", privateKeyPath: "/dev/null" } },
};

/** What holds for the run-books of the pair of a committed stack file. */
export function tellsThePair(name: "dev" | "prod"): void {
  describe(`the run-book that the CLI prints for the pair of ${name}`, () => {
    const keys = committedStack(`Pulumi.${name}.yaml`);
    const { sounz } = keys.pairs as { readonly sounz: object };
    let stack: ToldStack;
    const wants = (production: string, more: object = {}) => {
      stack.set({ pairs: { sounz: { ...sounz, production } }, ...more });
    };

    beforeAll(async () => {
      stack = await ToldStack.start({ ...keys, ...pairAlone, ...stacks[name] });
    });
    afterAll(() => {
      stack.stop();
    });

    it("is that of the golden file for a first update, which makes both machines ready before one is production", async () => {
      const told = await tells(stack, `create-${name}`);
      ok(await stack.up());
      const ran = stack.ran();
      expectRanAsTold(told, ran);
      const of = (book: string) => ran.filter((step) => step.name.startsWith(`${book}-`));
      const [provision, switched] = [of("sounz-provision"), of("sounz-switch")];
      expect(Math.max(...provision.map(({ ended }) => ended))).toBeLessThan(
        Math.min(...switched.map(({ began }) => began)),
      );
      expect(booksIn(told).map((book) => book.name)).toEqual(["sounz-provision", "sounz-switch"]);
    });

    it("is none when nothing is to be done", async () => {
      await isSettled(stack);
      stack.save("normal");
    });

    it("is that of the golden file for a switch to the secondary (recovery), before anything was measured", async () => {
      wants("megadeth");
      await runsAsTold(stack, `recovery-${name}`);
      expect(await outcomeOf(stack)).toEqual({ sounz: "complete" });
    });

    it("is that of the golden file for the switch back (normal), with what the switch before took users", async () => {
      wants("slayer");
      expect(await runsAsTold(stack, `normal-${name}`)).toContain("; 1.5 s in 1 run on this stack\n");
    });

    it("has the same words whole in the JSON of a preview, with the range of all that was measured", async () => {
      wants("megadeth");
      const [plain, json] = [await stack.preview(), await stack.preview("--json")];
      ok(plain);
      ok(json);
      expect(toldInJson(json.output)).toBe(toldIn(plain.output));
      expect(toldIn(plain.output)).toContain("; 1.5 s in 2 runs on this stack\n");
    });

    it("is that of the golden file for a production that is lost (emergency), and is no measure for a switch", async () => {
      stack.restore("normal");
      wants("megadeth", { unreachable: ["slayer"] });
      await runsAsTold(stack, `emergency-${name}`);
      expect((await outcomeOf(stack)).sounz).toMatch(/^incomplete: slayer is unreachable/);
    });

    it("is that of the golden file when the lost machine is back: users notice nothing, since production stays", async () => {
      wants("megadeth");
      const told = await runsAsTold(stack, `return-${name}`);
      expect(told).toContain("run-book: 2 transitions; users notice nothing\n");
      expect(told).not.toContain("stopped half-way");
      wants("slayer");
      expect(toldIn((await stack.preview()).output)).toContain("; not measured on this stack\n");
    });

    it("is that of the golden file for a standby that is lost (alone)", async () => {
      stack.restore("normal");
      wants("slayer", { unreachable: ["megadeth"] });
      await runsAsTold(stack, `alone-${name}`);
    });

    it("is that of the golden file for a production that may still answer (suspect)", async () => {
      stack.restore("normal");
      wants("megadeth", { suspect: ["slayer"] });
      await runsAsTold(stack, `suspect-${name}`);
    });
  });
}
