import type { Names } from "./fields.ts";
import { allowedWords, pathText, type Problem, shown } from "./problems.ts";

export type Fields = Readonly<Record<string, unknown>>;

/** A stack file before it is known to be right: rules look at what is there and are silent about the rest. */
export interface Draft {
  readonly platform: unknown;
  readonly hosts: Readonly<Record<string, Fields>>;
  /** Any key of the file as a map of maps of settings: the entries of a system. */
  readonly entries: (key: string) => Readonly<Record<string, Fields>>;
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
    entries: (key) => mapped(raw[key]),
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
export const noHost = (
  name: string,
  { hosts }: Pick<Draft, "hosts">,
  besides: readonly string[] = [],
): string =>
  `${shown(name)} is not a host in this file; ${allowedWords(name, [...besides, ...Object.keys(hosts)])}`;

/** Keys of a map that are not allowed as names. */
export const wrongNames = (
  path: readonly string[],
  entries: object,
  { pattern, allowed, taken }: Names,
): Problem[] =>
  Object.keys(entries).flatMap((name) => {
    const why = pattern.test(name) ? taken?.(name) : `allowed: ${allowed}`;
    return why === undefined ? [] : [at([...path, name], `${shown(name)} is not allowed as a name; ${why}`)];
  });

/** The list that a host which no step runs on is in. */
export const listWith = (name: string, { suspect }: Pick<Draft, "suspect">): string =>
  `changeover:${suspect.includes(name) ? "suspect" : "unreachable"}`;

/** A problem for each value that an earlier path has already. */
export function repeated(
  entries: readonly (readonly [path: readonly string[], value: string | undefined])[],
): Problem[] {
  const first = new Map<string, readonly string[]>();
  return entries.flatMap(([path, value]) => {
    if (value === undefined) return [];
    const before = first.get(value);
    if (before) return [at(path, `${shown(value)} is ${pathText(before)} already; each needs its own`)];
    first.set(value, path);
    return [];
  });
}

const within = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);

/** Whether one of two folders is in the other, or they are the same. */
export const overlap = (one: string, other: string): boolean =>
  one !== "" && other !== "" && (within(one, other) || within(other, one));
