import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { allowedWords, nearest, type Problem, problemText, shown } from "./config/problems.ts";
import { backendOf, backendProblem, ownAddresses } from "./config/backend.ts";
import { cachesIn, cachesLeaving } from "./components/cache/leaving.ts";
import { word } from "./config/draft.ts";
import { lastOutputs } from "./config/last-outputs.ts";
import { leaving, operatedBy } from "./config/leaving.ts";
import { ranIn, soaking } from "./components/staged-upgrade/soak.ts";
import { mainsMoved, upgradesIn } from "./components/staged-upgrade/leaving.ts";
import { crossCheck } from "./config/rules.ts";
import { softwareProblems } from "./transition/software.ts";
import { allowedIn } from "./config/fields.ts";
import { anyPlatformSchema, stackSchemas } from "./config/schema.ts";

type Parsed<Name extends keyof typeof stackSchemas> = z.output<(typeof stackSchemas)[Name]>;
/** One cache of memcached. */
export type Cache = Readonly<Parsed<keyof typeof stackSchemas>["caches"][string]>;

type ParsedPair = Parsed<keyof typeof stackSchemas>["pairs"][string];

/** One pair of machines. `serviceAddress` is left out on `aws` only. */
export type Pair = Readonly<Omit<ParsedPair, "database" | "serviceAddress">> & {
  readonly database: string;
  readonly serviceAddress?: string;
};

/** One pool of application servers. */
export type AppPool = Readonly<Parsed<keyof typeof stackSchemas>["appPools"][string]>;
/** A package that is upgraded over many hosts. */
export type StagedUpgrade = Readonly<Parsed<keyof typeof stackSchemas>["stagedUpgrades"][string]>;
/** A folder that several hosts share. */
export type SharedVolume = Readonly<Parsed<keyof typeof stackSchemas>["sharedVolumes"][string]>;

type Checked<Name extends keyof typeof stackSchemas> = Readonly<Omit<Parsed<Name>, "pairs">> & {
  readonly pairs: Readonly<Record<string, Pair>>;
};

export type LocalConfig = Checked<"local">;
export type InventoryConfig = Checked<"inventory">;
export type AwsConfig = Checked<"aws">;

/** What a stack file says, checked and frozen. What each field means stands in `config/schema.ts`. */
export type StackConfig = LocalConfig | InventoryConfig | AwsConfig;

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
export function requireOrderlyLeave(config: StackConfig, outputs: unknown): void {
  const wanted = { ...config, unreachable: [...config.unreachable, ...config.suspect] };
  const problems = [
    ...leaving(operatedBy(outputs), wanted),
    ...cachesLeaving(cachesIn(outputs), config.caches),
    ...mainsMoved(upgradesIn(outputs), config.stagedUpgrades),
  ];
  if (problems.length > 0) throw new ConfigError(problemText(stackFile(), problems));
}

/**
 * A version comes to a stack that has `soak` when another stack has run it long enough. Who overrides that says so in
 * each preview.
 *
 * @param outputs of the stack at its last update.
 * @throws ConfigError with the dates.
 */
export async function requireSoaked({ stagedUpgrades }: StackConfig, outputs: unknown): Promise<void> {
  const problems: Problem[] = [];
  for (const [name, { soak, version }] of Object.entries(stagedUpgrades)) {
    if (!soak) continue;
    if (soak.override !== undefined)
      void pulumi.log.warn(
        `stagedUpgrades.${name}: not asked how ${version} ran on ${soak.stack}: ${soak.override}`,
      );
    const path = ["stagedUpgrades", name];
    let theirs: unknown;
    try {
      theirs = await lastOutputs(soak.stack);
    } catch (error) {
      problems.push({ path: [...path, "soak", "stack"], text: unreadable(soak.stack, error) });
      continue;
    }
    const ran = { there: ranIn(theirs, name), here: ranIn(outputs, name), now: new Date() };
    const why = soaking(version, soak, ran);
    if (why !== undefined) problems.push({ path: [...path, "version"], text: why });
  }
  if (problems.length > 0) throw new ConfigError(problemText(stackFile(), problems));
}

const unreadable = (stack: string, error: unknown): string =>
  `${shown(stack)} can't be read (${error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error)}); allowed: the full name of a stack in this backend that has been updated`;

/**
 * What the project brings to its hosts is there before anything is copied.
 *
 * @throws ConfigError that names each folder which is missing, or does not install.
 */
export function requireSoftware(config: StackConfig): void {
  const problems = softwareProblems(config, pulumi.getRootDirectory());
  if (problems.length > 0) throw new ConfigError(problemText(stackFile(), problems));
}

/**
 * The state is not lost with a machine that it is about.
 *
 * @throws ConfigError when the backend lives on an operated host.
 */
export function requireSafeBackend(config: StackConfig): void {
  const backend = backendOf(process.env, pulumi.getRootDirectory());
  const why = backend && backendProblem(backend, ownAddresses(), config);
  if (why !== undefined) throw new ConfigError(why);
}

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
export function parseConfig(raw: Readonly<Record<string, unknown>>, source: string): StackConfig {
  const schema: z.ZodType = isPlatform(raw.platform) ? stackSchemas[raw.platform] : anyPlatformSchema;
  const result = schema.safeParse(raw);
  const shape = result.error ? shapeProblems(schema, raw, result.error.issues) : [];
  const problems = [
    ...shape,
    ...crossCheck(raw).filter((rule) => !shape.some((found) => covers(found, rule))),
  ];
  if (problems.length > 0) throw new ConfigError(problemText(source, problems));
  return frozen(withDefaults(result.data as Parsed<keyof typeof stackSchemas>));
}

const isPlatform = (name: unknown): name is keyof typeof stackSchemas =>
  typeof name === "string" && Object.hasOwn(stackSchemas, name);

/** Whether a problem of the same place, or of one around it, was told already. */
function covers(found: Problem, rule: Problem): boolean {
  return found.path.every((key, index) => key === rule.path[index]);
}

function withDefaults(config: Parsed<keyof typeof stackSchemas>): StackConfig {
  const pairs = Object.entries<ParsedPair>(config.pairs).map(([name, pair]): [string, Pair] => [
    name,
    { ...pair, database: pair.database ?? name },
  ]);
  return { ...config, pairs: Object.fromEntries(pairs) };
}

function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null) Object.values(Object.freeze(value)).forEach(frozen);
  return value;
}

function shapeProblems(schema: z.ZodType, raw: unknown, issues: readonly z.core.$ZodIssue[]): Problem[] {
  const problems = issues.flatMap((issue) => shapeProblem(schema, raw, issue));
  const meant = new Set(problems.map(({ path, meant: key }) => [...path.slice(0, -1), key].join("\0")));
  return problems.filter(({ path, missing }) => !missing || !meant.has(path.join("\0")));
}

interface ShapeProblem extends Problem {
  readonly missing?: boolean;
  /** The key that was probably meant. */
  readonly meant?: string;
}

function shapeProblem(schema: z.ZodType, raw: unknown, issue: z.core.$ZodIssue): ShapeProblem[] {
  const path = issue.path.map(String);
  const around = schemaAt(schema, path);
  if (issue.code === "unrecognized_keys") {
    const keys = around instanceof z.ZodObject ? Object.keys(around.shape) : [];
    return issue.keys.map((key) => ({
      path: [...path, key],
      text: `no such key; ${allowedWords(key, keys)}`,
      meant: nearest(key, keys),
    }));
  }
  const value = valueAt(raw, path);
  if (value === undefined) return [{ path, text: `missing; ${allowedText(around)}`, missing: true }];
  return [{ path, text: `${shown(value)} is not allowed; ${allowedText(around, value)}` }];
}

function allowedText(schema: z.ZodType | undefined, value?: unknown): string {
  if (schema instanceof z.ZodEnum) return allowedWords(word(value) ?? "", schema.options.map(String));
  return `allowed: ${(schema && allowedIn.get(schema)?.allowed) ?? "a map of settings"}`;
}

function valueAt(raw: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined,
    raw,
  );
}

function schemaAt(schema: z.ZodType | undefined, path: readonly string[]): z.ZodType | undefined {
  const plain = unwrapped(schema);
  const [key, ...rest] = path;
  if (key === undefined) return plain;
  if (plain instanceof z.ZodObject) return schemaAt(plain.shape[key] as z.ZodType | undefined, rest);
  if (plain instanceof z.ZodRecord) return schemaAt(plain.valueType as z.ZodType, rest);
  if (plain instanceof z.ZodArray) return schemaAt(plain.element as z.ZodType, rest);
  return undefined;
}

function unwrapped(schema: z.ZodType | undefined): z.ZodType | undefined {
  const wrapped =
    schema instanceof z.ZodDefault || schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault;
  return wrapped ? unwrapped(schema.unwrap() as z.ZodType) : schema;
}
