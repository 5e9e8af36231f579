import * as pulumi from "@pulumi/pulumi";
import { type Entries, systems as registry } from "./components/registry.ts";
import type { System } from "./components/system.ts";
import { backendOf, backendProblem, ownAddresses } from "./config/backend.ts";
import { draftOf, type Fields } from "./config/draft.ts";
import { entryProblems } from "./config/entries.ts";
import { hostProblems, usesIn } from "./config/hosts.ts";
import { lastOutputs } from "./config/last-outputs.ts";
import { leaving, operatedBy } from "./config/leaving.ts";
import { type Problem, problemText } from "./config/problems.ts";
import { type CommonConfig, stackSchema } from "./config/schema.ts";
import { shapeProblems } from "./config/shape.ts";
import type { PlatformName } from "./platforms/names.ts";
import type { Opening } from "./platforms/platform.ts";
import { faceOf } from "./platforms/platforms.ts";
import { softwareProblems } from "./transition/software.ts";

/** What a stack file says, checked and frozen. What each field means stands in the schemas. */
export type StackConfig = Readonly<CommonConfig> &
  Entries & {
    readonly platform: PlatformName;
    readonly hosts: Readonly<Record<string, object>>;
  };

/** Everything that is wrong with a stack file, a line each. Pulumi shows it without a stack trace. */
export class ConfigError extends pulumi.RunError {
  override readonly name = "ConfigError";
}

const namespace = "changeover:";

/**
 * The config of the stack that runs.
 *
 * @throws ConfigError with every problem of the stack file.
 */
export function readConfig(): StackConfig {
  const entries = Object.entries(pulumi.runtime.allConfig())
    .filter(([key]) => key.startsWith(namespace))
    .map(([key, value]): [string, unknown] => [key.slice(namespace.length), structured(value)]);
  return parseConfig(Object.fromEntries(entries), stackFile());
}

const stackFile = (): string => `Pulumi.${pulumi.getStack()}.yaml`;

/**
 * Nobody leaves the file who was not taken out of service first.
 *
 * @param outputs of the stack at its last update.
 * @throws ConfigError that names each host, and how it may leave.
 */
export function requireOrderlyLeave(
  config: StackConfig,
  outputs: unknown,
  systems: readonly System[] = registry,
): void {
  const wanted = {
    hosts: config.hosts,
    absent: config.absent,
    unreachable: [...config.unreachable, ...config.suspect],
    entries: (key: string) => entriesOf(config, key),
  };
  refuse(leaving(operatedBy(outputs, systems), wanted, systems));
}

/**
 * What entries want that must be asked elsewhere, for example how a version ran on another stack.
 *
 * @param outputs of the stack at its last update.
 * @throws ConfigError with everything that is not so yet.
 */
export async function requireAdmitted(
  config: StackConfig,
  outputs: unknown,
  systems: readonly System[] = registry,
): Promise<void> {
  const before = operatedBy(outputs, systems).entries;
  const asked = systems.flatMap((system) =>
    Object.entries(entriesOf(config, system.key)).map(async ([name, entry]) => {
      const remarks = (await system.remarks?.(name, entry, before[system.key]?.[name]?.expected)) ?? [];
      for (const remark of remarks) void pulumi.log.warn(remark);
      return (await system.admits?.(name, entry, outputs, lastOutputs)) ?? [];
    }),
  );
  refuse((await Promise.all(asked)).flat());
}

function refuse(problems: readonly Problem[]): void {
  if (problems.length > 0) throw new ConfigError(problemText(stackFile(), problems));
}

/** The entries of a system, checked, by name; none where the file has none. */
export const entriesOf = (config: StackConfig, key: string): Readonly<Record<string, unknown>> =>
  (config as unknown as Readonly<Record<string, Readonly<Record<string, unknown>>>>)[key] ?? {};

/** What the entries of the file listen on and for whom, an opening an entry: what a platform's firewall lets through. */
export const openingsOf = (config: StackConfig, systems: readonly System[] = registry): Opening[] =>
  systems.flatMap(({ key, noun, members, opens, hostsIn }) =>
    Object.entries(entriesOf(config, key)).map(([name, entry]) => ({
      name: `${noun.replaceAll(" ", "-")}-${name}`,
      description: `${members} and clients of the ${noun} ${name}`,
      hosts: [
        ...new Set(hostsIn(name, entry as Fields).flatMap(({ host, witness }) => (witness ? [] : [host]))),
      ],
      ports: opens(name, entry as Fields).filter(({ from }) => from.length > 0),
    })),
  );

/**
 * What the project brings to its hosts is there before anything is copied.
 *
 * @throws ConfigError that names each folder which is missing, or does not install.
 */
export function requireSoftware(config: StackConfig): void {
  refuse(softwareProblems(config, pulumi.getRootDirectory()));
}

/**
 * The state is not lost with a machine that it is about.
 *
 * @throws ConfigError when the backend lives on an operated host.
 */
export function requireSafeBackend(config: StackConfig): void {
  const backend = backendOf(process.env, pulumi.getRootDirectory());
  const why =
    backend && backendProblem(backend, ownAddresses(), { ...config, addresses: addressesIn(config) });
  if (why !== undefined) throw new ConfigError(why);
}

const addressesIn = (config: StackConfig) =>
  registry.flatMap((system) => {
    return Object.entries(entriesOf(config, system.key)).flatMap(([name, entry]) =>
      (system.addresses?.(name, entry) ?? []).map((address) => [address, `${system.noun} ${name}`] as const),
    );
  });

/** Pulumi hands maps and lists over as JSON, and words as they are. */
function structured(value: string): unknown {
  if (!/^[[{]/.test(value)) return value;
  try {
    return JSON.parse(value, (_, word: unknown) => (typeof word === "string" ? asWritten(word) : word));
  } catch {
    return value;
  }
}

/** YAML takes a date without quotes for a moment, and Pulumi hands over its text. */
const asWritten = (word: string): string => word.replace(/^(\d{4}-\d\d-\d\d) 00:00:00 \+0000 UTC$/, "$1");

/**
 * The checked config of one stack file.
 *
 * @param raw the keys under `changeover:`, without that prefix.
 * @param source what the message calls the file.
 * @throws ConfigError with every problem, each with its path, the value, what is allowed and the nearest key.
 */
export function parseConfig(
  raw: Readonly<Record<string, unknown>>,
  source: string,
  systems: readonly System[] = registry,
): StackConfig {
  const face = faceOf(raw.platform);
  const schema = stackSchema(systems, face);
  const result = schema.safeParse(raw);
  const shape = result.error ? shapeProblems(schema, raw, result.error.issues) : [];
  const draft = draftOf(raw);
  const uses = usesIn(draft, systems);
  const rules = [
    ...hostProblems(draft, uses),
    ...entryProblems(draft, systems),
    ...(face?.rules(draft, uses) ?? []),
  ];
  const problems = [...shape, ...rules.filter((rule) => !shape.some((found) => covers(found, rule)))];
  if (problems.length > 0) throw new ConfigError(problemText(source, problems));
  return frozen(withDefaults(result.data as StackConfig, systems));
}

/** Whether a problem of the same place, or of one around it, was told already. */
function covers(found: Problem, rule: Problem): boolean {
  return found.path.every((key, index) => key === rule.path[index]);
}

function withDefaults(config: StackConfig, systems: readonly System[]): StackConfig {
  const completed = systems.map((system) => [
    system.key,
    Object.fromEntries(
      Object.entries(entriesOf(config, system.key)).map(([name, entry]) => [
        name,
        system.complete?.(name, entry) ?? entry,
      ]),
    ),
  ]);
  return { ...config, ...(Object.fromEntries(completed) as object) };
}

function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null) Object.values(Object.freeze(value)).forEach(frozen);
  return value;
}
