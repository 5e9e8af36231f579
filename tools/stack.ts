import { execFileSync } from "node:child_process";
import { systems as registry } from "../components/registry.ts";
import type { Seen, System } from "../components/system.ts";
import type { SshTarget } from "../platforms/platform.ts";
import type { Look } from "../transition/decide.ts";
import type { ExportedEntry } from "../transition/open.ts";
import type { Mark, MarkFacts } from "../transition/marks.ts";
import { lookAt } from "../transition/run/probe.ts";
import { lookOf, scriptsOn } from "../transition/start.ts";
import { pulumiEnvironment, toolchain } from "./workshop/setup/toolchain.ts";

type Targets = Readonly<Record<string, { ssh: SshTarget; release: string; unreachable: boolean }>>;

/** A state, as far as the tools read it. */
export interface Deployment {
  readonly manifest?: { readonly time?: string };
  readonly resources?: ExportedEntry[];
  readonly pending_operations?: unknown[];
}

/** What a stack says of one entry of its file. */
interface OperatedEntry {
  readonly hosts: readonly string[];
  readonly outcome: string;
  readonly expected: unknown;
  readonly marks: readonly Mark[];
}

/** What a stack says of itself in its outputs, as far as the tools read it. */
export interface StackOutputs {
  readonly stackId: string;
  /** By system and entry; undefined in the outputs of the release before. */
  readonly operated?: Readonly<Record<string, Readonly<Record<string, OperatedEntry>>>>;
  readonly targets: Targets;
  /** By entry, what the last update reached; of an older release, what its update was to reach. */
  readonly outcome?: Readonly<Record<string, string>>;
}

/** One entry of a stack, with its system. */
export interface Entry extends OperatedEntry {
  readonly system: System;
  readonly name: string;
}

/** Output of `pulumi stack …`. */
export function pulumiStack(...args: readonly string[]): string {
  return execFileSync(toolchain().pulumi, ["stack", ...args], {
    env: pulumiEnvironment(),
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 1024 * 1024 * 1024,
  });
}

/** What a stack exported, and what its estate says of itself to programs. @throws when the stack was never updated. */
export const outputsOf = (args: readonly string[]): StackOutputs => outputsIn(exported(args));

/** @throws when the stack was never updated. */
export function outputsIn({ resources = [] }: Deployment): StackOutputs {
  const of = (type: string) => resources.find((one) => one.type === type)?.outputs;
  const outputs = { ...of("pulumi:pulumi:Stack"), ...of("changeover:index:Estate") } as Partial<StackOutputs>;
  if (!outputs.stackId || !outputs.targets)
    throw new Error("the stack has no outputs yet; run npx pulumi up first");
  return outputs as StackOutputs;
}

/** The state of a stack; what is secret in it stays encrypted. */
export const exported = (args: readonly string[]): Deployment =>
  (JSON.parse(pulumiStack("export", ...args)) as { readonly deployment: Deployment }).deployment;

/** Everything that the stack operates, in the order of the registry. */
export const entriesIn = (outputs: StackOutputs, systems: readonly System[] = registry): Entry[] =>
  systems.flatMap((system) => {
    const entries = outputs.operated?.[system.key] ?? earlierOf(outputs, system);
    return Object.entries(entries).map(([name, entry]) => {
      const expected = system.ended?.(name, entry.expected, outputs) ?? entry.expected;
      return { ...entry, expected, outcome: outputs.outcome?.[name] ?? entry.outcome, system, name };
    });
  });

/** The release before this one recorded nothing that is compared with the records of hosts. */
const earlierOf = (outputs: StackOutputs, system: System): Readonly<Record<string, OperatedEntry>> =>
  outputs.operated
    ? {}
    : Object.fromEntries(
        Object.entries(system.earlier(outputs)).map(([name, expected]) => [
          name,
          { hosts: [], outcome: "complete", expected, marks: [] },
        ]),
      );

const notAsked = "was not asked: it is in changeover:unreachable or changeover:suspect";

/** Ask a host of the stack something read-only. */
function ask<Facts extends { readonly now_ms: number }>(
  host: string,
  targets: Targets,
  probe: string,
  words: readonly string[],
): Promise<Look<Facts>> {
  const target = targets[host];
  if (!target || target.unreachable) return Promise.resolve({ host, failure: notAsked });
  return lookAt<Facts>({
    host,
    target: target.ssh,
    command: lookOf(target.ssh, target.release, probe, words),
  });
}

/** What the hosts of an entry say, read-only and side by side. */
export const looksAt = ({ system, name, expected }: Entry, targets: Targets): Promise<Seen[]> =>
  Promise.all(
    system.looks(name, expected).map(async (request) => ({
      request,
      look: await ask<{ readonly now_ms: number }>(request.host, targets, request.probe, request.words),
    })),
  );

/** What each host of the marks has recorded; one look a host. */
export function looksAtMarks(marks: readonly Mark[], targets: Targets): Promise<Look<MarkFacts>[]> {
  const hosts = [...new Set(marks.map(({ host }) => host))];
  const components = (host: string) => [
    ...new Set(marks.filter((mark) => mark.host === host).map(({ component }) => component)),
  ];
  return Promise.all(hosts.map((host) => ask<MarkFacts>(host, targets, "marks", components(host))));
}

/** Where the scripts of the last update are on a host. */
export const scriptsAt = (host: string, targets: Targets): string => {
  const target = targets[host];
  return target ? scriptsOn(target.ssh, target.release) : "scripts";
};

/** What is said of a host that gave no facts. */
export const silence = ({ host, failure }: Look<unknown>): string =>
  `${host}: ${failure ?? "gave no answer"}`;
