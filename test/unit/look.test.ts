import { describe, expect, it } from "vitest";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { systems } from "../../components/registry.ts";
import { lastLook, lookedFile, type Looked, lookLines } from "../../config/last-look.ts";
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

  describe("that is kept", () => {
    const seen = [
      {
        request: { host: "megadeth", probe: "pair/probe", words: ["sounz"] },
        look: { host: "megadeth", facts: { ...facts, copies: { data: { age_s: 90 } } } },
      },
    ];
    const entries = [{ system: "pairs", name: "sounz", expected: {}, outcome: "complete", seen }];
    const looked: Looked = { at: 1_000_000, by: "ops@desk", entries };
    const told = (now: number) => lookLines(looked, now, systems);

    it("is told with who looked and with ages as of now", () => {
      const [first, line] = told(1_042_000);
      expect(first).toBe("hosts, as ops@desk saw them 42 s ago:");
      expect(line).toContain("sounz: megadeth: standby");
      expect(line).toContain("data copied 132 s ago, last transaction 42.3 s ago");
    });

    it("says nothing of hosts when it is old or from the future, and that nobody looked when nobody did", () => {
      expect(told(1_000_000 + 16 * 60_000)).toEqual([
        "hosts: the last look is 16 min old (allowed: 15 min); look again: npm run look",
      ]);
      expect(told(999_000)).toHaveLength(1);
      expect(lookLines(undefined, 0, systems)).toEqual([
        "hosts: nobody looked at them from this machine; look: npm run look",
      ]);
    });

    it("is kept under the id of its stack, and never read for another one", () => {
      const folder = mkdtempSync(join(tmpdir(), "changeover-look-"));
      const env = { XDG_DATA_HOME: folder };
      try {
        const file = lookedFile("5ac4", env);
        expect(file).toBe(join(folder, "changeover", "looks", "5ac4.json"));
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, JSON.stringify(looked));
        expect(lastLook("5ac4", env)).toEqual(looked);
        for (const other of ["5ac5", undefined, "../5ac4", "dev"])
          expect(lastLook(other, env)).toBeUndefined();
        writeFileSync(file, "{");
        expect(lastLook("5ac4", env)).toBeUndefined();
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  });
});
