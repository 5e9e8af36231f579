import type { Names } from "./fields.ts";
import { allowedWords, type Problem, shown } from "./problems.ts";

export type Fields = Readonly<Record<string, unknown>>;

/** A stack file before it is known to be right: rules look at what is there and are silent about the rest. */
export interface Draft {
  readonly platform: unknown;
  readonly hosts: Readonly<Record<string, Fields>>;
  readonly pairs: Readonly<Record<string, Fields>>;
  readonly volumes: Readonly<Record<string, Fields>>;
  readonly caches: Readonly<Record<string, Fields>>;
  readonly pools: Readonly<Record<string, Fields>>;
  readonly upgrades: Readonly<Record<string, Fields>>;
  readonly network: Fields;
  /** Hosts that no step runs on, in either list. */
  readonly unreachable: readonly string[];
  readonly suspect: readonly string[];
  readonly absent: readonly string[];
}

/** The draft that a stack file's keys are, without the namespace. */
export function draftOf(raw: Fields): Draft {
  return {
    platform: raw.platform,
    hosts: mapped(raw.hosts),
    pairs: mapped(raw.pairs),
    volumes: mapped(raw.sharedVolumes),
    caches: mapped(raw.caches),
    pools: mapped(raw.appPools),
    upgrades: mapped(raw.stagedUpgrades),
    network: fieldsOf(raw.network),
    unreachable: [...wordsOf(raw.unreachable), ...wordsOf(raw.suspect)],
    suspect: wordsOf(raw.suspect),
    absent: wordsOf(raw.absent),
  };
}

/** A map of settings; empty when it is anything else. */
export const fieldsOf = (value: unknown): Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};

/** A map of maps of settings. */
export const mapped = (value: unknown): Record<string, Fields> =>
  Object.fromEntries(Object.entries(fieldsOf(value)).map(([name, fields]) => [name, fieldsOf(fields)]));

/** The words of a list; none when it is no list. */
export const wordsOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((word) => typeof word === "string") : [];

/** A word; undefined when it is anything else. */
export const word = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

/** A problem at a place of the file. */
export const at = (path: readonly string[], text: string): Problem => ({ path, text });

/** What is said of the name of a host that the file does not have. */
export const noHost = (name: string, { hosts }: Pick<Draft, "hosts">): string =>
  `${shown(name)} is no host of this file; ${allowedWords(name, Object.keys(hosts))}`;

/** Keys of a map that are not allowed as names. */
export const wrongNames = (
  path: readonly string[],
  entries: object,
  { pattern, allowed }: Names,
): Problem[] =>
  Object.keys(entries)
    .filter((name) => !pattern.test(name))
    .map((name) => at([...path, name], `${shown(name)} is not allowed as a name; allowed: ${allowed}`));

/** Records on a host stand under the names of components, whatever their kind. */
export const nameTaken = (kind: string, name: string, others: Readonly<Record<string, object>>): Problem[] =>
  Object.entries(others)
    .filter(([, entries]) => Object.hasOwn(entries, name))
    .map(([key]) =>
      at([kind, name], `${shown(name)} is changeover:${key}.${name} already; each needs its own name`),
    );
