import { pair } from "../../components/pair/index.ts";
import type { Seen } from "../../components/system.ts";
import type { Deployment } from "../../tools/stack.ts";
import type { ExportedEntry } from "../../transition/open.ts";
import { type Sources, type Status, statusOf } from "../../tools/status/status.ts";
import { gateOf, id, measured, start, switchSteps, told, transitionOf } from "./timeline-state.ts";

/** What may never be in anything that a tool writes of a state. */
export const canaries = [
  "canary-stdin",
  "canary-key",
  "canary-stderr",
  "canary-environment",
  "canary-output",
];

/** Text that a host said and that a browser must not take for markup. */
export const markup = `<script>window.canary = 1</script><img src=x onerror="window.canary = 1">&'"`;

/** A step as the state has it, with secrets where a state may have them. */
const withSecrets = (entry: ExportedEntry): ExportedEntry =>
  entry.type.startsWith("command:")
    ? {
        ...entry,
        inputs: {
          ...entry.inputs,
          stdin: "canary-stdin",
          connection: { host: "192.0.2.11", privateKey: "canary-key" },
          environment: { TOKEN: "canary-environment" },
        },
        outputs: { ...entry.outputs, stderr: "canary-stderr", result: "canary-output" },
      }
    : entry;

const runs = [
  {
    id,
    began: "2026-11-30T18:00:00Z",
    seconds: 5.2,
    awaySeconds: 2.25,
    goal: { production: "megadeth" },
  },
  {
    id: "b",
    began: "2026-11-23T18:00:00Z",
    seconds: 14.1,
    awaySeconds: 1.9,
    resumed: true as const,
    goal: { production: "slayer" },
  },
];

/** A state with a provision and a switch after it. @param open the switch has not ended. */
function stateWith(open: boolean): Deployment {
  const before = switchSteps
    .filter(({ step }) => step !== "fence" && step !== "takeover")
    .map((ran) => ({ ...ran, after: ran.after - 900 }));
  const steps = open
    ? switchSteps.map((ran) => (ran.step === "check" ? { ...ran, id: "b" } : ran))
    : switchSteps;
  const entries = [
    ...transitionOf("sounz-provision", before, { inputs: { goal: {} } }),
    ...transitionOf("sounz-switch", steps, told),
    measured({ "sounz-switch": runs }),
    ...(open ? [{ ...gateOf("sounz-switch", "fence"), delete: true }] : []),
  ];
  return {
    manifest: { time: new Date(start + 60_000).toISOString() },
    resources: entries.map(withSecrets),
    pending_operations: open ? [{}] : [],
  };
}

const said = (host: string, words: string | undefined, failure?: string): Seen => ({
  request: { host, probe: "pair/probe", words: [] },
  look: { host, ...(words === undefined ? { failure } : { facts: { words } }) },
});

/** What a status is made of. @param trouble a switch is open, a host is lost and another one says markup. */
export function exampleSources({ trouble }: { readonly trouble: boolean }): Sources {
  const mark = (transition: string, host: string) => ({ host, component: "sounz", transition, id });
  const ssh = { host: "192.0.2.11", port: 22, user: "root", hostKey: "k", privateKeyPath: "canary-key" };
  const target = (unreachable: boolean) => ({ ssh, release: "r", unreachable });
  return {
    stack: "prod",
    at: new Date(start + 3_600_000),
    state: stateWith(trouble),
    outputs: { stackId: "0123456789abcdef", targets: { slayer: target(trouble), megadeth: target(false) } },
    entries: [
      {
        system: { ...pair, describe: (_, __, { look }) => (look.facts as { words: string }).words },
        name: "sounz",
        hosts: ["slayer", "megadeth"],
        outcome: trouble ? "incomplete: slayer is unreachable" : "complete",
        expected: { secret: "canary-output" },
        marks: [mark("provision", "slayer"), mark("switch", "slayer"), mark("switch", "megadeth")],
      },
    ],
    looked: [
      {
        ...{ system: pair.key, name: "sounz", expected: {}, outcome: "complete" },
        seen: [
          trouble
            ? said("slayer", undefined, "was not asked: it is in changeover:unreachable")
            : said("slayer", "PostgreSQL is read-only, data copied 12 s ago"),
          said("megadeth", `PostgreSQL accepts writes${trouble ? ` ${markup}` : ""}`),
        ],
      },
    ],
  };
}

export const exampleStatus = (how: { readonly trouble: boolean }): Status => statusOf(exampleSources(how));
