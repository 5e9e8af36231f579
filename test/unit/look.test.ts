import { describe, expect, it } from "vitest";
import { lookedFile, recentLines } from "../../transition/last-look.ts";
import type { PairFacts } from "../../components/pair/decide.ts";
import { describeMachine } from "../../components/pair/describe.ts";

const facts = {
  host: "megadeth",
  status: "standby",
  postgres: "running",
  in_recovery: true,
  holds_address: false,
  streaming: { from: "192.0.2.11", lag_bytes: 1572864 },
  last_commit_s: 0.25,
  down: null,
  epoch: 12,
  copies: {},
  stands_still: false,
} as unknown as PairFacts;

describe("a look", () => {
  it("says what a standby is, how far behind and how old", () => {
    expect(describeMachine(facts)).toBe(
      "standby, PostgreSQL is read-only, streams, 1.5 MiB behind, last transaction 0.3 s ago, epoch 12",
    );
  });

  it("says how old each copy is [004-156]", () => {
    const copied = { ...facts, streaming: null, stands_still: true, copies: { data: { age_s: 90 } } };
    expect(describeMachine(copied)).toContain("paused until its next copy, data copied 90 s ago");
  });

  it("says why a machine is down", () => {
    const stopped = {
      ...facts,
      postgres: "stopped",
      streaming: null,
      in_recovery: null,
      down: "megadeth serves",
    };
    expect(describeMachine(stopped as PairFacts)).toContain("PostgreSQL is stopped, down: megadeth serves");
  });

  it("is shown with its age while it is recent, and not from the future", () => {
    const text = JSON.stringify({ at: 1_000_000, lines: ["sounz: slayer: production"] });
    expect(recentLines(text, 1_042_000)).toEqual(["looked 42 s ago: sounz: slayer: production"]);
    expect(recentLines(text, 1_000_000 + 16 * 60_000)).toEqual([]);
    expect(recentLines(text, 999_000)).toEqual([]);
    expect(lookedFile("dev", { XDG_DATA_HOME: "/data" })).toBe("/data/changeover/looks/dev.json");
  });
});
