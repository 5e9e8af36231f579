import type { Gone, System } from "../components/system.ts";
import type { Problem } from "./problems.ts";

/** What a stack said of its machines at its last update, as far as it decides who may leave. */
export interface Operated {
  /** By host: why it may leave; undefined: it is in service. */
  readonly hosts: Readonly<Record<string, string | undefined>>;
  /** By system and entry: its members, and what the system expected of it. */
  readonly entries: Readonly<Record<string, Readonly<Record<string, OperatedEntry>>>>;
}

interface OperatedEntry {
  readonly expected: unknown;
}

/** What a stack file wants, as far as it decides who leaves. */
export interface Wanted {
  readonly hosts: Readonly<Record<string, unknown>>;
  readonly entries: (key: string) => Readonly<Record<string, unknown>>;
  /** Hosts that no step runs on, in either list. */
  readonly unreachable: readonly string[];
  readonly absent: readonly string[];
}

/** The output of the stack with all entries, by system. */
type OperatedOutput = Readonly<Record<string, Readonly<Record<string, OperatedEntry>>>>;

/** The machines in the outputs of a stack; none in those of one that was never updated. */
export function operatedBy(outputs: unknown, systems: readonly System[]): Operated {
  const { targets = {}, operated } = (outputs ?? {}) as {
    readonly targets?: Readonly<Record<string, { readonly absent?: string }>>;
    readonly operated?: OperatedOutput;
  };
  return {
    hosts: Object.fromEntries(Object.entries(targets).map(([name, { absent }]) => [name, absent])),
    entries: operated ?? earlierOf(outputs, systems),
  };
}

/** What the release before this one said in an output a system; to be removed with the next release. */
const earlierOf = (outputs: unknown, systems: readonly System[]): OperatedOutput =>
  Object.fromEntries(
    systems.map((system) => [
      system.key,
      Object.fromEntries(
        Object.entries(system.earlier(outputs ?? {})).map(([name, expected]) => [name, { expected }]),
      ),
    ]),
  );

interface Left extends Gone {
  readonly entry: string;
  readonly goesOn: boolean;
}

/**
 * Hosts that leave the file, or an entry of it, without being taken out of service: their services, watches and timers
 * would stay on the machine for ever, or go on serving beside whatever took their place. And what may not change in
 * an entry that stays.
 */
export function leaving(operated: Operated, wanted: Wanted, systems: readonly System[]): Problem[] {
  const told = systems.flatMap((system) =>
    Object.entries(operated.entries[system.key] ?? {}).flatMap(([name, { expected }]) => {
      const now = wanted.entries(system.key)[name];
      return system
        .gone(name, expected, now)
        .map((one): Left | Problem =>
          "host" in one ? { ...one, entry: name, goesOn: now !== undefined } : one,
        );
    }),
  );
  const left = told.filter((one): one is Left => "host" in one);
  return [...told.filter((one): one is Problem => !("host" in one)), ...ofHosts(operated, wanted, left)];
}

function ofHosts(operated: Operated, wanted: Wanted, left: readonly Left[]): Problem[] {
  const toName: string[] = [];
  const viaAbsent = (host: string): string => {
    toName.push(host);
    const index = String(wanted.absent.length + toName.indexOf(host));
    return `npx pulumi config set --path 'changeover:absent[${index}]' ${host}; npx pulumi up`;
  };
  const hosts = new Set([...Object.keys(operated.hosts), ...left.map(({ host }) => host)]);
  return [...hosts].flatMap((host) => {
    const own = left.filter((one) => one.host === host);
    const byAbsent = own.filter(({ by }) => by === "absent");
    return Object.hasOwn(wanted.hosts, host)
      ? ofEntries(host, own, byAbsent, wanted, viaAbsent)
      : ofFile(host, own, operated, viaAbsent);
  });
}

/** A host that the file does not name any more. */
function ofFile(
  host: string,
  own: readonly Left[],
  operated: Operated,
  viaAbsent: (host: string) => string,
): Problem[] {
  if (operated.hosts[host] !== undefined) return [];
  const entries = [...new Set(own.map(({ entry }) => entry))];
  const serves = entries.length > 0 ? ` in ${entries.join(", ")}` : "";
  return [
    {
      path: ["hosts", host],
      text: `missing, but this stack still operates it${serves}; retire it first (a new name is another host): put it back, then: ${viaAbsent(host)}`,
    },
  ];
}

/** A host that stays in the file, and is a member of less. */
function ofEntries(
  host: string,
  own: readonly Left[],
  byAbsent: readonly Left[],
  wanted: Wanted,
  viaAbsent: (host: string) => string,
): Problem[] {
  const refused = own.flatMap(({ by }) => (by === "absent" ? [] : [by]));
  if (byAbsent.length === 0) return refused;
  const path = ["hosts", host];
  const entries = [...new Set(byAbsent.map(({ entry }) => entry))];
  if (!wanted.absent.includes(host))
    return [
      ...refused,
      {
        path,
        text: `no longer in ${entries.join(", ")}, but this stack still operates it there; put it back, or retire it: ${viaAbsent(host)}`,
      },
    ];
  const blind = byAbsent.filter(({ goesOn, mustBeSeen }) => goesOn && mustBeSeen).map(({ entry }) => entry);
  if (blind.length === 0 || !wanted.unreachable.includes(host)) return refused;
  return [
    ...refused,
    {
      path,
      text: `unreachable, so nobody can check that it serves nothing, and ${blind.join(", ")} would go on without it; put it back, or give its name to a new machine`,
    },
  ];
}
