import type { Deployment } from "../../tools/stack.ts";
import type { ExportedEntry } from "../../transition/open.ts";

/** When the preflight of the example began. */
export const start = Date.parse("2026-11-30T18:00:00.000Z");

const urnOf = (name: string): string => `urn:pulumi:prod::changeover::a:b:C::${name}`;

/** Where the ids of transitions are known by. */
const componentOf = (name: string): string =>
  `urn:pulumi:prod::changeover::changeover:index:Pair$changeover:index:Transition::${name}`;

/** A step as it ran: `after` and `took` in seconds, by the clock of its host. */
export interface Ran {
  readonly step: string;
  readonly host?: string;
  readonly after: number;
  readonly took: number;
  readonly says?: string;
  readonly tail?: string;
  readonly id?: string;
}

export const id = "aaaaaaaaaaaaaaaa";

export function stepOf(transition: string, ran: Ran): ExportedEntry {
  const { step, host, after, took, says = `${step} is so`, tail = "", id: own = id } = ran;
  const began = new Date(start + after * 1000).toISOString();
  return {
    urn: urnOf(`${transition}-${step}`),
    type: host === undefined ? "command:local:Command" : "command:remote:Command",
    parent: componentOf(transition),
    inputs: { triggers: [{ says, transition: own, ...(host === undefined ? {} : { host }) }], create: "x" },
    outputs: {
      stdout: `c ${step} is so ${took.toFixed(2)} |${tail} began=${began} took=${took.toFixed(3)}`,
    },
  };
}

export const gateOf = (transition: string, gate: string): ExportedEntry => ({
  urn: urnOf(`${transition}-${gate}`),
  type: "command:local:Command",
  parent: componentOf(transition),
  inputs: { addPreviousOutputInEnv: false },
});

/** A transition with its id, its steps and what it tells of itself. */
export function transitionOf(
  name: string,
  steps: readonly Ran[],
  told: { readonly inputs?: ExportedEntry["inputs"] } = {},
  more: readonly ExportedEntry[] = [gateOf(name, "done-gate")],
): ExportedEntry[] {
  return [
    { urn: componentOf(name), type: "changeover:index:Transition", ...told },
    {
      urn: urnOf(`${name}-id`),
      type: "random:index/randomId:RandomId",
      parent: componentOf(name),
      outputs: { hex: id },
    },
    ...steps.map((step) => stepOf(name, step)),
    ...more,
  ];
}

/** What a state remembers of runs. */
export const measured = (runs: Readonly<Record<string, unknown>>): ExportedEntry => ({
  urn: urnOf("measured"),
  type: "changeover:index:Measured",
  outputs: { runs },
});

export const stateOf = (...transitions: readonly (readonly ExportedEntry[])[]): Deployment => ({
  resources: transitions.flat(),
});

/** What a switch tells of itself. */
export const told = {
  inputs: {
    goal: { production: "megadeth" },
    users: { notice: "writes are refused", from: "fence", to: "takeover" },
    pointOfNoReturn: ["takeover"],
    wayBack: "set production to slayer, then run npx pulumi up",
  },
};

/** A switch, as far as a picture of it matters; megadeth's clock is 5 s ahead. */
export const switchSteps: readonly Ran[] = [
  { step: "preflight", after: 0, took: 0.5, tail: " epoch=3 clocks=slayer:0,megadeth:5000" },
  { step: "claim-slayer", host: "slayer", after: 1, took: 0.1 },
  { step: "claim-megadeth", host: "megadeth", after: 6, took: 0.1 },
  { step: "fence", host: "slayer", after: 2, took: 0.5 },
  {
    step: "takeover",
    host: "megadeth",
    after: 8,
    took: 1.25,
    says: "new production accepts writes (point of no return)",
  },
  { step: "check", after: 5, took: 0.2 },
];
