import type { HostUse, System } from "../components/system.ts";
import { hostKeyOf } from "../platforms/public-key.ts";
import { hostNames } from "./common-fields.ts";
import { at, type Draft, type Fields, listWith, noHost, repeated, word, wrongNames } from "./draft.ts";
import { pathText, type Problem, shown } from "./problems.ts";

/** A host use with its whole path in the file. */
export interface PlacedUse extends HostUse {
  readonly key: string;
  readonly name: string;
  readonly at: readonly string[];
}

/** Every place of the file where an entry names a host. */
export const usesIn = (draft: Draft, systems: readonly System[]): PlacedUse[] =>
  systems.flatMap((system) =>
    Object.entries(draft.entries(system.key)).flatMap(([name, fields]) =>
      system
        .hostsIn(name, fields)
        .map((use) => ({ ...use, key: system.key, name, at: [system.key, name, ...use.path] })),
    ),
  );

/** What is wrong with the hosts of a file, and with what names them. */
export function hostProblems(draft: Draft, uses: readonly PlacedUse[]): Problem[] {
  return [
    ...wrongNames(["hosts"], draft.hosts, hostNames),
    ...lists(draft),
    ...machinesApart(draft),
    ...uses.flatMap((use) => ofUse(use, draft)),
    ...leavers(uses, draft),
    ...twice(uses, draft),
  ];
}

function lists(draft: Draft): Problem[] {
  const dead = draft.unreachable.length - draft.suspect.length;
  const unreachable = listed(draft.unreachable, draft, (index) =>
    index < dead ? ["unreachable", String(index)] : ["suspect", String(index - dead)],
  );
  return [...unreachable, ...listed(draft.absent, draft, (index) => ["absent", String(index)])];
}

/** Entries of a list of hosts that are none, or are named twice. */
function listed(list: readonly string[], draft: Draft, pathAt: (index: number) => string[]): Problem[] {
  return list.flatMap((name, index, all) => {
    const path = pathAt(index);
    if (!Object.hasOwn(draft.hosts, name)) return [at(path, noHost(name, draft))];
    return all.indexOf(name) < index ? [at(path, `${shown(name)} is named twice; remove one`)] : [];
  });
}

/** Two names for one machine: a pair would be one machine, and its fence would cut off itself. */
function machinesApart({ hosts }: Draft): Problem[] {
  const hostKey = ({ hostKey: key }: Fields) => hostKeyOf(word(key) ?? "");
  return [
    ...repeated(
      Object.entries(hosts).map(([name, host]) => [["hosts", name, "address"], word(host.address)]),
    ),
    ...repeated(Object.entries(hosts).map(([name, host]) => [["hosts", name, "hostKey"], hostKey(host)])),
  ];
}

function ofUse({ host, at: path, whenLost, besides }: PlacedUse, draft: Draft): Problem[] {
  if (!Object.hasOwn(draft.hosts, host)) return [at(path, noHost(host, draft, besides))];
  return whenLost !== undefined && draft.unreachable.includes(host)
    ? [at(path, `${shown(host)} is in ${listWith(host, draft)}; ${whenLost}`)]
    : [];
}

/** Out of service and in use at once would be a machine that is stopped and started in one update. */
function leavers(uses: readonly PlacedUse[], draft: Draft): Problem[] {
  return draft.absent.flatMap((host, index) => {
    const own = uses.filter((use) => use.host === host && Object.hasOwn(draft.hosts, host));
    const firsts = own.filter(
      ({ key, name }, place) => own.findIndex((use) => use.key === key && use.name === name) === place,
    );
    return firsts.map(({ at: path }) =>
      at(
        ["absent", String(index)],
        `${shown(host)} is ${pathText(path)}; name another host there, or remove the entry, in the same change`,
      ),
    );
  });
}

/** Hosts that are named more often than what they are named for allows. */
function twice(uses: readonly PlacedUse[], draft: Draft): Problem[] {
  const first = new Map<string, PlacedUse>();
  return uses.flatMap((use) => {
    if (use.once === undefined || !Object.hasOwn(draft.hosts, use.host)) return [];
    const word = `${use.host} ${use.once}`;
    const before = first.get(word);
    if (!before) {
      first.set(word, use);
      return [];
    }
    return [at(use.at, `${shown(use.host)} is ${pathText(before.at)} already; a host is ${use.once}`)];
  });
}
