import { describe, expect, it } from "vitest";
import { booksIn, expectRanAsTold, toldIn } from "../support/printed-books.ts";

const output = `Previewing update (test):
    pulumi:pulumi:Stack changeover-test
Diagnostics:
  pulumi:pulumi:Stack (changeover-test):
    run-book: 1 transition; users notice nothing
    top-paint: 4 steps, and 1 only if needed; goal: colour red
      users notice: nothing
        1. look     operator  look at every host
      2-3. claim    a, b      each belongs to this transition
        4. address  platform  the platform moves the address
        5.          b         only if needed: it is red (point of no return)

Outputs:
`;
const told = toldIn(output);

const step = (name: string, host: string | undefined, says: string | undefined, at: number) => ({
  name: `top-paint-${name}`,
  triggers: { ...(host === undefined ? {} : { host }), ...(says === undefined ? {} : { says }) },
  began: at,
  ended: at + 1,
});
const look = step("look", undefined, "look at every host", 0);
const claimA = step("claim-a", "a", "a belongs to this transition", 2);
const claimB = step("claim-b", "b", "b belongs to this transition", 2);
const address = step("address", "platform", undefined, 4);
const red = step("act", "b", "only if needed: it is red (point of no return)", 6);

describe("what the CLI printed", () => {
  it("is read as run-books, with each step's phase and hosts", () => {
    expect(booksIn(told)).toEqual([
      {
        name: "top-paint",
        steps: [
          { phase: "look", hosts: ["operator"], says: "look at every host" },
          { phase: "claim", hosts: ["a", "b"], says: "each belongs to this transition" },
          { phase: "address", hosts: ["platform"], says: "the platform moves the address" },
          { phase: "address", hosts: ["b"], says: "only if needed: it is red (point of no return)" },
        ],
      },
    ]);
  });

  it("is what ran, steps of one phase in any order", () => {
    expectRanAsTold(told, [look, claimB, claimA, address]);
  });

  it.each([
    ["a step did not run", [look, claimA, address]],
    ["the platform did nothing", [look, claimA, claimB]],
    ["a step ran twice", [look, look, claimA, claimB, address].map((one) => ({ ...one }))],
    ["a step of no run-book ran", [look, claimA, claimB, address, { ...look, name: "other-look" }]],
    ["what was not needed ran", [look, claimA, claimB, address, red]],
    [
      "a step ran on another host",
      [look, claimA, step("claim-b", "c", "b belongs to this transition", 2), address],
    ],
    ["a phase began before the one before had ended", [look, claimA, { ...claimB, began: 0.5 }, address]],
  ])("is not what ran when %s", (_, ran) => {
    expect(() => {
      expectRanAsTold(told, ran);
    }).toThrow();
  });
});
