import type { PortUse, System } from "../components/system.ts";
import { platformNames } from "../platforms/names.ts";
import { at, type Draft, overlap, wrongNames } from "./draft.ts";
import { pathText, type Problem, shown } from "./problems.ts";

/** What is said of the entries of all systems alike: their names, their records on hosts, their ports, where they are made. */
export function entryProblems(draft: Draft, systems: readonly System[]): Problem[] {
  return [
    ...systems.flatMap((system) => wrongNames([system.key], draft.entries(system.key), system.names)),
    ...entryNames(draft, systems),
    ...recordNames(draft, systems),
    ...ports(draft, systems),
    ...folders(draft, systems),
    ...notThere(draft, systems),
    ...systems.flatMap((system) =>
      Object.entries(draft.entries(system.key)).flatMap(([name, fields]) =>
        system.rules.flatMap((rule) => rule(name, fields, draft)),
      ),
    ),
  ];
}

const all = (draft: Draft, systems: readonly System[]) =>
  systems.flatMap((system) =>
    Object.entries(draft.entries(system.key)).map(([name, fields]) => ({ system, name, fields })),
  );

/** Files, units and records on hosts stand under the names of entries, whatever their system. */
function entryNames(draft: Draft, systems: readonly System[]): Problem[] {
  const first = new Map<string, string>();
  return all(draft, systems).flatMap(({ system: { key }, name }) => {
    const before = first.get(name);
    if (before !== undefined)
      return [
        at([key, name], `${shown(name)} is changeover:${before}.${name} already; each needs its own name`),
      ];
    first.set(name, key);
    return [];
  });
}

/** One claim, one lock and one epoch stand under each name of a component. Entries of one name are told already. */
function recordNames(draft: Draft, systems: readonly System[]): Problem[] {
  const first = new Map<string, { readonly name: string; readonly path: string }>();
  return all(draft, systems).flatMap(({ system, name, fields }) => {
    const path = [system.key, name];
    return system.componentsOf(name, fields).flatMap((component) => {
      const before = first.get(component);
      first.set(component, before ?? { name, path: pathText(path) });
      if (!before || (before.name === name && before.path !== pathText(path))) return [];
      return [at(path, `${shown(component)} would name two components; rename the host`)];
    });
  });
}

/** Every port that is taken on every host: by its sshd, and by the entries that it is named in. */
function ports(draft: Draft, systems: readonly System[]): Problem[] {
  const taken = new Map(
    Object.entries(draft.hosts).map(([host, { port }]): [string, Taken] => [
      `${host}:${shown(port ?? 22)}`,
      { owner: "its sshd", entry: "" },
    ]),
  );
  return all(draft, systems).flatMap(({ system, name, fields }) =>
    system
      .opens(name, fields)
      .filter(({ counts }) => counts !== "again")
      .flatMap((use) => portProblem([system.key, name], use, taken)),
  );
}

interface Taken {
  readonly owner: string;
  readonly entry: string;
  readonly shared?: string;
}

function portProblem(entry: readonly string[], use: PortUse, taken: Map<string, Taken>): Problem[] {
  const path = [...entry, ...use.path];
  const own = pathText(entry);
  const clash = [...new Set(use.hosts)].flatMap((host) => {
    const found = taken.get(`${host}:${String(use.port)}`);
    taken.set(
      `${host}:${String(use.port)}`,
      found ?? { owner: pathText(path), entry: own, shared: use.shared },
    );
    const same =
      (use.counts === "own" && found?.entry === own) ||
      (use.shared !== undefined && found?.shared === use.shared);
    return found && !same ? [{ host, ...found }] : [];
  })[0];
  if (!clash) return [];
  return [at(path, `${String(use.port)} is taken by ${clash.owner} on ${clash.host}; name another`)];
}

/** A folder that two entries have on one host: what one copies, replaces or empties is lost for the other. */
function folders(draft: Draft, systems: readonly System[]): Problem[] {
  const uses = all(draft, systems).flatMap(({ system, name, fields }) =>
    (system.folders?.(name, fields) ?? []).map((use) => ({ ...use, path: [system.key, name, ...use.path] })),
  );
  return uses.flatMap(({ path, folder, hosts, shared }, index) => {
    const other = uses
      .slice(0, index)
      .filter((before) => shared === undefined || before.shared !== shared)
      .find((before) => overlap(before.folder, folder) && before.hosts.some((host) => hosts.includes(host)));
    if (!other) return [];
    const text = `${shown(folder)} overlaps ${pathText(other.path)} (${other.folder}) on ${shown(hosts.find((host) => other.hosts.includes(host)))}; name folders that do not overlap`;
    return [at(path, text)];
  });
}

/** What would be made there and could not be reached: the platform opens its ports for nobody. */
function notThere(draft: Draft, systems: readonly System[]): Problem[] {
  return all(draft, systems).flatMap(({ system: { key, platforms }, name }) => {
    const platform = platformNames.find((known) => known === draft.platform);
    if (platform === undefined || platforms.includes(platform)) return [];
    const text = `not made on ${platform} yet: nothing opens its ports there; allowed on ${platforms.join(" and ")}`;
    return [at([key, name], text)];
  });
}
