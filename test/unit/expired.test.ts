import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { markDifferences, type MarkFacts } from "../../transition/marks.ts";

const scripts = join(import.meta.dirname, "..", "..", "scripts");

describe("what was put back of a transition that failed", () => {
  let root = "";
  const records = () => join(root, "sounz");
  const claim = (text: string) => {
    writeFileSync(join(records(), "claim"), text);
  };
  const ends = (id: string) =>
    execFileSync("bash", [join(scripts, "done.sh"), "sounz", "switch", id], {
      env: { ...process.env, CHANGEOVER_ROOT: root },
      stdio: ["ignore", "pipe", "ignore"],
      encoding: "utf8",
    });

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "changeover-expired-"));
    for (const folder of ["done", "runs", "expired"]) mkdirSync(join(records(), folder), { recursive: true });
    for (const id of ["failed1", "failed2"])
      writeFileSync(join(records(), "expired", id), "the fence of slayer\n");
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  it("is forgotten when a later transition has ended well", () => {
    claim("id=good\nepoch=7\ntransition=switch\n");
    expect(ends("good")).toContain("switch done on");
    expect(readdirSync(join(records(), "expired"))).toEqual([]);
    expect(ends("good")).toContain("switch done on");
  });

  it("is kept for one that is paused, since it goes on when the claim is given back", () => {
    claim("id=good\nepoch=7\ntransition=switch\npaused_transition=provision\npaused_id=failed2\n");
    ends("good");
    expect(readdirSync(join(records(), "expired"))).toEqual(["failed2"]);
  });

  it("is a difference only while that transition holds the claim", () => {
    const told = (id: string) => {
      const facts: MarkFacts = {
        now_ms: 0,
        components: {
          sounz: {
            ...{ now_ms: 0, stack: "5ac4", holder: null, epoch: 7, done: { switch: "good" } },
            claim: { id, epoch: 7, transition: "switch" },
            expired: ["failed1"],
          },
        },
      };
      const mark = { host: "slayer", component: "sounz", transition: "switch", id: "good" };
      return markDifferences([mark], [{ host: "slayer", facts }], "5ac4").join("\n");
    };
    expect(told("good")).toBe("");
    expect(told("failed1")).toContain("a temporary change of failed1 was undone");
  });
});
