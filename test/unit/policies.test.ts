import { describe, expect, it } from "vitest";
import {
  type ProductionChange,
  refusalOfProduction,
  refusalOfRisk,
} from "../../policies/production/decide.ts";

const minute = 60_000;
const place = "Pulumi.prod.yaml:14";

const change = (speaks: Pick<ProductionChange, "line" | "lookAgeMs">) =>
  refusalOfProduction({
    ...{ stack: "prod", pair: "sounz", from: "slayer", to: "megadeth", lookValidMs: 15 * minute },
    ...speaks,
  });

const fact = "sounz: production changes from slayer to megadeth without a reason or a fresh look";
const allowed =
  'allowed: a commit of that line with the trailer "Reason: …", or a look that is at most 15 min old';
const cure = "look now: npm run look -- --stack prod";

describe("a new production", () => {
  it("passes with a reason in the commit, or right after a look", () => {
    const commit = { id: "1a2b3c4d5e", reason: "new memory in slayer" };
    expect(change({ line: { place, commit }, lookAgeMs: undefined })).toBeUndefined();
    for (const lookAgeMs of [0, minute, 15 * minute])
      expect(change({ line: { place }, lookAgeMs })).toBeUndefined();
  });

  it.each([
    [{ place }, undefined, `${place} is in no commit`, "no look is kept"],
    [{ place }, 15 * minute + 1, `${place} is in no commit`, "the last look is 16 min old"],
    [
      { place, commit: { id: "1a2b3c4d5e" } },
      42 * minute,
      `commit 1a2b3c4d5e wrote ${place} and has no trailer "Reason: …"`,
      "the last look is 42 min old",
    ],
    [undefined, undefined, "Pulumi.prod.yaml has no line for it", "no look is kept"],
  ])("is refused otherwise: fact, value, allowed, cure", (line, lookAgeMs, origin, look) => {
    expect(change({ line, lookAgeMs })?.split("\n")).toEqual([fact, origin, look, allowed, cure]);
  });

  it("is refused when the clock was set back since the look", () => {
    expect(change({ line: { place }, lookAgeMs: -minute })).toContain(fact);
  });
});

describe("a line that permits loss", () => {
  const risk = { stack: "prod", pair: "sounz", key: "acceptDataLoss" };

  it("passes with a reason in its commit alone", () => {
    const commit = { id: "1a2b3c4d5e", reason: "slayer burnt" };
    expect(refusalOfRisk({ ...risk, line: { place, commit } })).toBeUndefined();
  });

  it.each([
    [{ place }, "git commit Pulumi.prod.yaml --trailer"],
    [{ place, commit: { id: "1a2b3c4d5e" } }, "git commit --amend --no-edit --trailer"],
  ])("is refused otherwise, with the command", (line, command) => {
    const lines = refusalOfRisk({ ...risk, line })?.split("\n") ?? [];
    expect(lines[0]).toBe("sounz: acceptDataLoss is set without a reason in the commit");
    expect(lines.at(-1)).toContain(command);
  });
});
