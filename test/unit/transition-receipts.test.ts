import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { greenOf } from "../../components/staged-upgrade/soak.ts";
import type { Row } from "../../transition/table.ts";
import type { Member } from "../../transition/args.ts";
import { Transition } from "../../transition/transition.ts";
import { declaredBy, valueOf } from "../support/mocks.ts";

const member: Member = {
  host: {
    ssh: pulumi.output({ host: "a", port: 22, user: "root", hostKey: "ssh-ed25519 AAAA" }),
    name: "a",
    identity: pulumi.output("a-machine"),
    ready: [],
    address: pulumi.output("192.0.2.1"),
  },
  release: "r1",
  unreachable: false,
};

const row = { on: "production", says: "it is so", deadlineSeconds: 60 };
const table = (by: "operator" | "platform"): readonly Row[] => [
  { ...row, phase: "enter", script: "haproxy/enter", verdict: true },
  {
    ...row,
    phase: "back",
    name: "back",
    script: "app/run-previous-release",
    when: (bad) => bad.includes("enter"),
  },
  { ...row, phase: "isolate", script: "pair/isolate", by },
  { ...row, phase: "alone", script: "pair/serve-alone", name: "alone", takes: "pair/isolate" },
  { ...row, phase: "green", name: "green", script: "upgrade/record-green" },
];

/** What a transition makes of receipts that the state has: the command line of each step, and what its component reads. */
async function declaredFrom(
  said: Readonly<Record<string, string>>,
  by: "operator" | "platform" = "operator",
) {
  const { result, declared } = await declaredBy(
    () =>
      new Transition(
        {
          component: "c",
          transition: "t",
          table: table(by),
          members: new Map([["a", member]]),
          keepers: { production: "a" },
          story: { goal: ["production"], wayBack: "" },
          stack: pulumi.output("5ac4"),
          preflight: () => ({ create: "look", stdin: "" }),
          commands: { "pair/isolate": (_, receipt) => ({ create: "isolate", stdin: receipt }) },
          moves: {
            "pair/isolate": (name, _, opts) => new pulumi.ComponentResource("t:index:Move", name, {}, opts),
          },
        },
        {},
      ),
    (type, name) => ({
      ...(type.endsWith("RandomId") ? { hex: "1d" } : {}),
      ...(said[name] === undefined ? {} : { stdout: said[name] }),
    }),
  );
  const green = greenOf(await valueOf(result.receipt("upgrade/record-green")));
  const input = (name: string, key: string) => declared.find((one) => one.name === name)?.inputs[key];
  return {
    claim: String(input("c-t-claim-a", "create")).split(" ").slice(2),
    back: input("c-t-back-a", "create") ?? input("c-t-back", "create"),
    isolate: input("c-t-isolate", "stdin"),
    alone: String(input("c-t-alone", "create")).split(" pair/serve-alone c ")[1],
    green,
  };
}

const since = "2026-11-03T03:00:00Z";
const today = {
  "c-t-preflight": "c go 0.10 | epoch=7 serving=a",
  "c-t-enter": "c x 0.10 | verdict=bad why=too%20hot",
  "c-t-isolate": "b off 3.02 | epoch=7",
  "c-t-green": `c x 0.10 | version=1 since=${since}`,
};
const older = {
  "c-t-preflight": "c may go on with its t (0.10 s); a accepts the writes already, epoch 7",
  "c-t-enter": "c bad: too hot 0.10",
  "c-t-isolate": "b is cut off (3.02 s), epoch 7",
  "c-t-green": `c 1 is green since ${since} 0.10`,
};

describe("what a transition reads of receipts", () => {
  it.each([
    ["today", today, "'b off 3.02 | epoch=7'"],
    ["an older release", older, "'b is cut off (3.02 s), epoch 7 | epoch=7'"],
  ])("of %s is the same", async (_, said, taken) => {
    const made = await declaredFrom(said);
    expect(made.claim).toEqual(["c", "t", "1d", "5ac4", "7"]);
    expect(made.back).toContain("app/run-previous-release");
    expect(made.isolate).toMatch(/ \| epoch=7 serving=a$/);
    expect(made.alone).toBe(taken);
    expect(made.green).toEqual({ version: "1", since });
  });

  it("of steps that a release has worded anew in a complete transition is no verdict and no other time", async () => {
    const complete = "c t is complete, nothing done 0.01 | complete=yes";
    const made = await declaredFrom({ ...today, "c-t-enter": complete, "c-t-green": complete });
    expect(made.back).toBeUndefined();
    expect(made.green).toBeUndefined();
  });

  it("of a fence that a platform declares is made by the program, with the epoch of the preflight", async () => {
    for (const said of [today, older])
      expect((await declaredFrom(said, "platform")).alone).toMatch(/, epoch 7 \| epoch=7'$/);
  });
});
