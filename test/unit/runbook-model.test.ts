import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Run } from "../../transition/run-book.ts";
import { refusing } from "../../transition/start.ts";
import { documentSchema } from "../../tools/runbook/document.ts";
import { readDigest } from "../../tools/runbook/digest.ts";
import { digestOf, documentFrom, type FakeTransition, flip, stepsOf } from "../support/digest.ts";

const phases = (document: ReturnType<typeof documentFrom>, index = 0) =>
  document.transitions[index]?.phases.map(
    ({ name, steps }) => `${name}: ${steps.map(({ host }) => host).join(", ")}`,
  );

const run = (more: Partial<Run>): Run => ({
  id: "1",
  goal: { production: "slayer" },
  seconds: 20,
  awaySeconds: 2,
  steps: { ready: 1, fence: 0.5, takeover: 1.5, follow: 3 },
  ...more,
});

describe("the run-book of a preview", () => {
  it("has the goal, who notices, the point of no return and the steps of a flip", () => {
    const document = documentFrom(digestOf([flip]));
    expect(documentSchema.parse(document)).toEqual(document);
    expect(document.verdict).toBe("plan");
    const [transition] = document.transitions;
    expect(transition).toMatchObject({
      name: "sounz-switch",
      state: "planned",
      work: "production slayer => megadeth",
      goal: { production: { from: "slayer", to: "megadeth" } },
      users: { from: "fence", to: "takeover", measuredSeconds: [], atMostSeconds: 1020 },
      pointOfNoReturn: ["takeover"],
    });
    expect(phases(document)).toEqual([
      "preflight: operator",
      "claim: slayer, megadeth",
      "ready: megadeth",
      "fence: slayer",
      "takeover: megadeth",
      "follow: slayer",
      "done: slayer, megadeth",
    ]);
    const steps = transition?.phases.flatMap((phase) => phase.steps) ?? [];
    expect(steps.filter(({ pointOfNoReturn }) => pointOfNoReturn).map(({ says }) => says)).toEqual([
      "new production accepts writes (point of no return)",
    ]);
  });

  it("is the same in whatever order the preview lists the resources", () => {
    const whole = documentFrom(digestOf([flip]));
    fc.assert(
      fc.property(fc.shuffledSubarray(stepsOf(flip), { minLength: stepsOf(flip).length }), (steps) => {
        expect(documentFrom({ steps, diagnostics: [] }).transitions).toEqual(whole.transitions);
      }),
      { numRuns: 50 },
    );
  });

  it("marks no point of no return where the config makes its row find nothing to do", () => {
    const document = documentFrom(digestOf([{ ...flip, pointOfNoReturn: [] }]));
    const steps = document.transitions[0]?.phases.flatMap((phase) => phase.steps) ?? [];
    expect(steps.some(({ pointOfNoReturn }) => pointOfNoReturn)).toBe(false);
    expect(steps.map(({ says }) => says)).toContain("new production accepts writes");
  });

  it("says of a half-done transition where it goes on and what its goal still is", () => {
    const ran = ["preflight", "claim-slayer", "claim-megadeth", "ready", "fence"];
    const half = { ...flip, was: undefined, open: { id: "fedcba9876543210", ran }, runs: [run({})] };
    const document = documentFrom(digestOf([half]));
    expect(document.transitions[0]).toMatchObject({
      state: "open",
      work: "half done: it goes on at step 6 of 9; the goal is still production megadeth",
      goal: { production: { from: "slayer", to: "megadeth" } },
    });
    const steps = document.transitions[0]?.phases.flatMap((phase) => phase.steps) ?? [];
    expect(steps.filter(({ planned }) => planned).map(({ name }) => name)).toEqual([
      "sounz-switch-takeover",
      "sounz-switch-follow",
      "sounz-switch-done-slayer",
      "sounz-switch-done-megadeth",
    ]);
  });

  it("counts a transition whose steps only get other words, and lists none", () => {
    const id = "fedcba9876543210";
    const settled = { ...flip, was: undefined, open: { id, ran: ["done-slayer", "done-megadeth"] } };
    const steps = stepsOf(settled).map((step) =>
      step.op === "replace" && step.oldState
        ? {
            ...step,
            oldState: { ...step.oldState, inputs: { triggers: [{ says: "older words", transition: id }] } },
          }
        : step,
    );
    const document = documentFrom({ steps, diagnostics: [] });
    expect(document.transitions).toEqual([]);
    expect(document.resources.reworded).toBe(1);
    expect(document.verdict).toBe("plan");
  });

  it("has nothing to do when every step is the same", () => {
    const short = stepsOf(flip).flatMap(({ urn }) => urn.split("::sounz-switch-")[1] ?? []);
    const same = { ...flip, was: undefined, open: { id: "fedcba9876543210", ran: short } };
    const document = documentFrom(digestOf([same]));
    expect(document.verdict).toBe("nothing");
    expect(document.transitions).toEqual([]);
  });

  it("has transitions in the order of what they wait for, and of others as the preview lists them", () => {
    const named = (name: string, after: readonly string[] = []): FakeTransition => ({ ...flip, name, after });
    const document = documentFrom(digestOf([named("c", ["b"]), named("d"), named("b", ["a"]), named("a")]));
    expect(document.transitions.map(({ name, after }) => [name, after.toSorted()])).toEqual([
      ["d", []],
      ["a", []],
      ["b", ["a"]],
      ["c", ["a", "b"]],
    ]);
  });
});

describe("how long it takes", () => {
  const measured = (runs: readonly Run[], more: Partial<FakeTransition> = {}) =>
    documentFrom(digestOf([{ ...flip, runs, ...more }])).transitions[0];

  it("comes from comparable runs of this stack, newest first, and a step's from their median", () => {
    const transition = measured([
      run({ seconds: 22, awaySeconds: 2.3 }),
      run({ seconds: 16, awaySeconds: 1.8, steps: { fence: 0.9 } }),
      run({ seconds: 18, awaySeconds: 2, steps: { fence: 0.1 } }),
    ]);
    expect(transition?.measuredSeconds).toEqual([22, 16, 18]);
    expect(transition?.users?.measuredSeconds).toEqual([2.3, 1.8, 2]);
    const fence = transition?.phases
      .flatMap(({ steps }) => steps)
      .find(({ name }) => name.endsWith("-fence"));
    expect(fence).toMatchObject({ usualSeconds: 0.5, deadlineSeconds: 120 });
  });

  it("is not measured by a first run, one that stopped half-way, or one of another kind or table", () => {
    const others = [
      run({ first: true }),
      run({ resumed: true }),
      run({ kind: "back" }),
      run({ steps: { fence: 1, isolate: 5 } }),
    ];
    expect(measured(others)?.measuredSeconds).toEqual([]);
    expect(measured([run({ kind: "back" })], { kind: "back" })?.measuredSeconds).toEqual([20]);
  });
});

describe("what is beside transitions", () => {
  const resource = (op: string, name: string, type: string, more: object = {}) => ({
    op,
    urn: `urn:pulumi:prod::changeover::${type}::${name}`,
    ...(op === "create" ? {} : { oldState: { type, custom: true, ...more } }),
    ...(op === "delete" ? {} : { newState: { type, custom: true, ...more } }),
  });

  it("is counted, with the names of what is destroyed or made anew", () => {
    const document = documentFrom(
      digestOf(
        [],
        [
          resource("delete", "lab-host-a", "command:local:Command"),
          resource("replace", "web-1", "aws:ec2/instance:Instance"),
          resource("create", "web-2", "aws:ec2/instance:Instance"),
          resource("delete", "sounz-switch-fence", "command:remote:Command", { retainOnDelete: true }),
          resource("create", "slayer-scripts", "command:remote:CopyToRemote", { retainOnDelete: true }),
        ],
      ),
    );
    expect(document.resources).toMatchObject({
      others: { delete: 1, replace: 1, create: 1 },
      copies: 1,
      destroyed: [
        { name: "lab-host-a", op: "delete" },
        { name: "web-1", op: "replace" },
      ],
    });
    expect(document.verdict).toBe("plan");
  });
});

describe("a refusal", () => {
  it("of the program itself is known without a look", () => {
    const why = "scalr stays as it is while scalr-app2 is in changeover:unreachable; it's to be repaired";
    const document = documentFrom(digestOf([{ ...flip, preflight: { create: refusing(why) } }]));
    expect(document.refusals).toEqual([{ transitions: ["sounz-switch"], text: why, after: [] }]);
    expect(document.verdict).toBe("refused");
  });

  it("of a host counts only where no earlier transition may change it", () => {
    const found = { transitions: ["sounz-switch"], text: "slayer has 1 MiB free" };
    const verdict = (after: string[]) =>
      documentFrom(digestOf([flip]), { refusals: [{ ...found, after }] }).verdict;
    expect(verdict([])).toBe("refused");
    expect(verdict(["sounz-provision"])).toBe("plan");
  });

  it("that two looks found is told once, and holds now when it does for one of them", () => {
    const text = "megadeth: shows another host key";
    const { refusals } = documentFrom(digestOf([flip]), {
      refusals: [
        { transitions: ["sounz-switch"], text, after: ["sounz-provision"] },
        { transitions: ["sounz-provision"], text, after: [] },
      ],
    });
    expect(refusals).toEqual([{ transitions: ["sounz-switch", "sounz-provision"], text, after: [] }]);
  });
});

describe("a preview", () => {
  it("that ended with an error gives a run-book with its words", () => {
    const diagnostics = [
      { severity: "info", message: "run-book: 1 transition" },
      { severity: "error", message: "error: Pulumi.prod.yaml has 1 problem" },
    ];
    const document = documentFrom({ steps: [], diagnostics }, { failed: true });
    expect(document.verdict).toBe("error");
    expect(document.diagnostics).toEqual([{ severity: "error", text: "Pulumi.prod.yaml has 1 problem" }]);
  });

  it("is read from what the CLI prints, and nothing else is", () => {
    expect(readDigest('warning: old\n{"steps":[]}')).toEqual({ steps: [], diagnostics: [] });
    expect(() => readDigest('{"version":3}')).toThrow("this is no preview");
  });
});
