import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  legalPairs,
  outcomeOf,
  standbyOf,
  statuses,
  statusesOf,
  whyIllegal,
} from "../../components/pair/goal.ts";

const slayer = "slayer";
const megadeth = "megadeth";
const goal = (production: string, unreachable: string[] = []) => ({
  primary: slayer,
  secondary: megadeth,
  production,
  unreachable,
});

describe("statuses of a pair", () => {
  it("are six words and no other [004-034] [004-041]", () => {
    expect([...statuses].sort()).toEqual(
      [
        "down",
        "production",
        "production_alone",
        "production_as_standby",
        "standby",
        "standby_as_production",
      ].sort(),
    );
  });

  it.each([
    [goal(slayer), "production", "standby", "[004-035] [004-036] [004-043]"],
    [goal(megadeth, [slayer]), "down", "production_alone", "[004-037] [004-044]"],
    [goal(megadeth), "production_as_standby", "standby_as_production", "[004-039] [004-040] [004-045]"],
    [goal(slayer, [megadeth]), "production_alone", "down", "[004-046]"],
  ])("of %o are %s and %s %s", (wanted, primary, secondary) => {
    expect(statusesOf(wanted)).toEqual({ slayer: primary, megadeth: secondary });
  });

  it("keep a machine's identity apart from its role [004-003]", () => {
    expect(statusesOf(goal(megadeth)).slayer).toBe("production_as_standby");
    expect(standbyOf(goal(megadeth))).toBe(slayer);
    expect(standbyOf(goal(slayer))).toBe(megadeth);
  });

  it("refuse a production that is unreachable, with the cure", () => {
    expect(() => statusesOf(goal(slayer, [slayer]))).toThrow(
      "production is slayer, which is in changeover:unreachable; set production: megadeth, or remove slayer from the list",
    );
  });

  it("give exactly the four legal pairs a pass, and every other a reason in words [004-042] [004-047]", () => {
    for (const primary of statuses) {
      for (const secondary of statuses) {
        const legal = legalPairs.some(([one, other]) => one === primary && other === secondary);
        if (legal) expect(whyIllegal(primary, secondary)).toBeUndefined();
        else expect(whyIllegal(primary, secondary)).toMatch(/is not a state of a pair \(allowed: /);
      }
    }
    expect(whyIllegal("production", "production_alone")).toContain("two servers would be production at once");
    expect(whyIllegal("standby", "down")).toContain("no server would be production");
  });

  it("are a legal pair for every goal that is not refused", () => {
    const names = fc.constantFrom(slayer, megadeth);
    fc.assert(
      fc.property(names, fc.uniqueArray(names), (production, unreachable) => {
        fc.pre(!unreachable.includes(production));
        const found = statusesOf(goal(production, unreachable));
        const of = (name: string) => found[name] ?? "down";
        expect(whyIllegal(of(slayer), of(megadeth))).toBeUndefined();
      }),
    );
  });
});

describe("the outcome of a goal", () => {
  it("is complete with both machines, and names the one that it does without and until when", () => {
    expect(outcomeOf(goal(slayer))).toBe("complete");
    expect(outcomeOf(goal(megadeth, [slayer]))).toBe(
      `incomplete: ${slayer} is unreachable; provisioning is frozen at its last id; when ${slayer} is repaired, remove it from changeover:unreachable`,
    );
  });
});
