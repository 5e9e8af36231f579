import { describe, expect, it } from "vitest";
import { lookedFile, recentLines } from "../../transition/last-look.ts";
import type { PairFacts } from "../../components/pair/decide.ts";
import { leftOut, type PairExpected } from "../../components/pair/verify.ts";
import { inWords } from "../../components/pair/describe.ts";

const facts = {
  ...{ host: "megadeth", status: "standby", postgres: "running", in_recovery: true, holds_address: false },
  ...{ streaming: { from: "192.0.2.11", lag_bytes: 1572864 }, last_commit_s: 0.25, down: null, epoch: 12 },
  ...{ copies: {}, stands_still: false },
} as unknown as PairFacts;

describe("a look", () => {
  it("says what a standby is, how far behind and how old", () => {
    expect(inWords({ host: "megadeth", facts })).toBe(
      "megadeth: standby, PostgreSQL is read-only, streams, 1.5 MiB behind, last transaction 0.3 s ago, epoch 12",
    );
  });

  it("says how old each copy is [004-156]", () => {
    const copied = { ...facts, streaming: null, stands_still: true, copies: { data: { age_s: 90 } } };
    expect(inWords({ host: "megadeth", facts: copied })).toContain(
      "stands still until its next copy, data copied 90 s ago",
    );
  });

  it("says why a machine gave no facts, and why one is down", () => {
    expect(inWords({ host: "slayer", failure: "timed out" })).toBe("slayer: timed out");
    const stopped = {
      ...facts,
      postgres: "stopped",
      streaming: null,
      in_recovery: null,
      down: "the other serves",
    };
    expect(inWords({ host: "slayer", facts: stopped as PairFacts })).toContain(
      "PostgreSQL is stopped, down: the other serves",
    );
  });

  it("begins with what the last update left out, if it did", () => {
    const expected = {
      component: "sounz",
      transitions: {},
      statuses: {},
      address: "none",
    } satisfies PairExpected;
    expect(leftOut(expected)).toEqual([]);
    expect(leftOut({ ...expected, outcome: "complete" })).toEqual([]);
    expect(leftOut({ ...expected, outcome: "incomplete: slayer is unreachable" })).toEqual([
      "incomplete: slayer is unreachable",
    ]);
  });

  it("is shown with its age while it is recent, and not from the future", () => {
    const text = JSON.stringify({ at: 1_000_000, lines: ["sounz: slayer: production"] });
    expect(recentLines(text, 1_042_000)).toEqual(["looked 42 s ago: sounz: slayer: production"]);
    expect(recentLines(text, 1_000_000 + 16 * 60_000)).toEqual([]);
    expect(recentLines(text, 999_000)).toEqual([]);
    expect(lookedFile("dev", { XDG_DATA_HOME: "/data" })).toBe("/data/changeover/looks/dev.json");
  });
});
