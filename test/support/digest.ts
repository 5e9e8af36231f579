import type { Run, UsersNotice } from "../../transition/run-book.ts";
import type { Digest, Half } from "../../tools/runbook/digest.ts";
import { documentOf, planOf } from "../../tools/runbook/model.ts";
import type { RunBookDocument } from "../../tools/runbook/document.ts";

/** How a preview writes what is known only when the update runs. */
export const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** A row of a transition, on one host. */
export interface FakeRow {
  readonly row: string;
  readonly host?: string;
  readonly says?: string;
  readonly words?: string;
  readonly phase?: string;
  readonly deadlineSeconds?: number;
  readonly conditional?: true;
}

/** A transition as a preview has it: of a new goal, unless an id is given that stays. */
export interface FakeTransition {
  readonly name: string;
  readonly hosts: readonly string[];
  readonly rows: readonly FakeRow[];
  readonly goal?: Readonly<Record<string, string>>;
  readonly was?: Readonly<Record<string, string>>;
  /** It goes on: the steps that are named have run for it, the others for an id before. */
  readonly open?: { readonly id: string; readonly ran: readonly string[] };
  readonly users?: UsersNotice;
  readonly pointOfNoReturn?: readonly string[];
  readonly wayBack?: string;
  readonly needs?: readonly string[];
  readonly runs?: readonly Run[];
  readonly kind?: string;
  /** Names of transitions that end before. */
  readonly after?: readonly string[];
  readonly preflight?: Readonly<Record<string, unknown>>;
  /** More of each half of each step. */
  readonly secrets?: Pick<Half, "inputs" | "outputs">;
}

const urn = (type: string, name: string): string => `urn:pulumi:prod::changeover::${type}::${name}`;
const transitionType = "changeover:index:Transition";
const remote = "command:remote:Command";
const local = "command:local:Command";

type Step = Digest["steps"][number];

function step(
  type: string,
  name: string,
  op: string,
  halves: { before?: Partial<Half>; now?: Partial<Half> },
): Step {
  const half = (one: Partial<Half> | undefined) => (one ? { type, custom: true, ...one } : undefined);
  return { op, urn: urn(type, name), oldState: half(halves.before), newState: half(halves.now) };
}

/** The steps of one transition. */
export function stepsOf(fake: FakeTransition): Step[] {
  const { name, hosts, rows, goal = {}, was, open, secrets = {}, after = [] } = fake;
  const parent = urn(transitionType, name);
  const oldId = "0123456789abcdef";
  const facts = Object.fromEntries(
    rows.map(({ row, phase, deadlineSeconds, conditional }, place) => [
      row,
      {
        place,
        phase: phase ?? row,
        deadlineSeconds: deadlineSeconds ?? 60,
        ...(conditional ? { conditional } : {}),
      },
    ]),
  );
  const story = {
    ...{
      goal,
      goalKeys: Object.keys({ ...was, ...goal }),
      hosts,
      rows: facts,
      wayBack: fake.wayBack ?? "set it back",
    },
    ...{ users: fake.users, pointOfNoReturn: fake.pointOfNoReturn, needs: fake.needs, kind: fake.kind },
  };
  const ended = hosts.map((host) => urn(remote, `${name}-done-${host}`));
  const waits = after.map((other) => urn(local, `${other}-done-gate`));
  const one = (
    short: string,
    says: string,
    host?: string,
    words?: string,
    more: Readonly<Record<string, unknown>> = {},
  ) => {
    const ran = open?.ran.includes(short);
    const op = open ? (ran ? "same" : "replace") : was ? "replace" : "create";
    const triggers = (transition: string) => [
      { says, transition, ...(host ? { host } : {}), ...(words ? { words } : {}) },
    ];
    const before =
      open || was
        ? {
            inputs: { ...secrets.inputs, triggers: triggers(ran && open ? open.id : oldId) },
            outputs: { ...secrets.outputs },
          }
        : undefined;
    const now = {
      parent,
      dependencies: waits,
      inputs: { ...secrets.inputs, ...more, triggers: triggers(open ? open.id : unknown) },
      retainOnDelete: true,
    };
    return step(host ? remote : local, `${name}-${short}`, op, {
      before: before && { ...before, parent, retainOnDelete: true },
      now,
    });
  };
  const keepers = { ...was, "status.secret": "keeper-canary" };
  return [
    step(transitionType, name, was ? "update" : "create", {
      before: was || open ? { custom: false, outputs: {} } : undefined,
      now: { custom: false, inputs: story },
    }),
    step("random:index/randomId:RandomId", `${name}-id`, open ? "same" : was ? "replace" : "create", {
      before: was || open ? { parent, outputs: { hex: open?.id ?? oldId, keepers } } : undefined,
      now: { parent, inputs: { keepers: { ...goal, "status.secret": "keeper-canary" } } },
    }),
    one(
      "preflight",
      "look at every host; refuse before anything is touched",
      undefined,
      undefined,
      fake.preflight,
    ),
    ...hosts.map((host) => one(`claim-${host}`, `${host} belongs to this transition`, host)),
    ...rows.map(({ row, host, says, words }) => one(row, says ?? `${row} is so`, host ?? hosts[0], words)),
    ...hosts.map((host) => one(`done-${host}`, `${name} is complete on ${host}`, host)),
    step(local, `${name}-done-gate`, "same", { before: { parent }, now: { parent, dependencies: ended } }),
  ];
}

/** What the state remembers of runs. */
const measuredStep = (fakes: readonly FakeTransition[]): Step =>
  step("changeover:index:Measured", "measured", "same", {
    before: {
      custom: false,
      outputs: { runs: Object.fromEntries(fakes.map(({ name, runs = [] }) => [name, runs])) },
    },
    now: { custom: false },
  });

/** A preview with these transitions and steps. */
export const digestOf = (fakes: readonly FakeTransition[], more: readonly Step[] = []): Digest => ({
  steps: [...fakes.flatMap(stepsOf), measuredStep(fakes), ...more],
  diagnostics: [],
});

/** A flip of a pair. */
export const flip: FakeTransition = {
  name: "sounz-switch",
  hosts: ["slayer", "megadeth"],
  goal: { production: "megadeth" },
  was: { production: "slayer" },
  users: { notice: "the service address does not answer", from: "fence", to: "takeover" },
  pointOfNoReturn: ["takeover"],
  wayBack:
    "at every step: npx pulumi config set --path changeover:pairs.sounz.production slayer, then npx pulumi up",
  rows: [
    { row: "ready", host: "megadeth", says: "new production is streaming" },
    { row: "fence", host: "slayer", says: "old production rejects writes", deadlineSeconds: 120 },
    {
      row: "takeover",
      host: "megadeth",
      says: "new production accepts writes (point of no return)",
      deadlineSeconds: 900,
    },
    { row: "follow", host: "slayer", says: "old production streams from new production" },
  ],
};

/** What a run-book has when nothing else is said. */
export const circumstances = {
  project: "changeover",
  stack: "prod",
  commit: "0123456",
  at: new Date("2026-11-30T12:00:00Z"),
  failed: false,
  facts: { source: "nobody" as const, at: null, by: null, says: "hosts: nobody looked at them", lines: [] },
  refusals: [],
  unanswered: [],
};

/** The document of a preview. */
export const documentFrom = (
  digest: Digest,
  about: Partial<Parameters<typeof documentOf>[1]> = {},
): RunBookDocument => documentOf(planOf(digest), { ...circumstances, ...about });
