import { comparable } from "../../transition/measure.ts";
import { epochOf } from "../../transition/receipt.ts";
import {
  absentWayBack,
  goalBefore,
  goalOf,
  newHost,
  noticedOf,
  type RanFor,
  type LastTransition,
  type RowFacts,
  type Run,
  type RunBook,
  type RunBookStep,
  type UsersNotice,
  wasReached,
  workOf,
} from "../../transition/run-book.ts";
import { refusedBy } from "../../transition/start.ts";
import type { Keepers } from "../../transition/table.ts";
import { knownText, listIn, type Resource, textsIn, type Triggers, triggersOf } from "./digest.ts";

/** The look before a transition, as the update would start it. */
export interface PlannedLook {
  /** What it is told; undefined: that is known only when the update runs, since it makes the hosts. */
  readonly order?: string;
  /** Why the program has it fail, without a look. */
  readonly refused?: string;
}

/** A run-book as a preview has it, with what only a comment and a program read. */
export interface Booked {
  readonly book: RunBook;
  /** By row. */
  readonly rows: Readonly<Record<string, RowFacts>>;
  /** By step: its row. */
  readonly rowOf: ReadonlyMap<string, string>;
  readonly pointOfNoReturn: readonly string[];
  /** The look that the update makes; undefined: none, or the one before was passed. */
  readonly look?: PlannedLook;
  /** Transitions of this update that end before it begins. */
  readonly after: readonly string[];
  /** The epoch that the state knows of. */
  readonly epoch?: number;
}

/** A component whose children are steps. */
interface Owner {
  readonly resource: Resource;
  readonly steps: readonly Resource[];
}

const noReturn = " (point of no return)";

/** The run-books of what an update does, in the order in which it does it, and how many only get other words. */
export function booksIn(resources: ReadonlyMap<string, Resource>): {
  readonly books: readonly Booked[];
  readonly reworded: number;
} {
  const owners = inOrder(ownersIn(resources), resources);
  const measured = measuredIn(resources);
  const booked = owners.flatMap(({ owner, after }) => {
    const one = owner.resource.type.endsWith(":AbsentHosts")
      ? absentBook(owner)
      : transitionBook(owner, measured);
    return one === undefined ? [] : [{ ...one, after: after.map(({ resource }) => resource.name) }];
  });
  const todo = booked.filter(({ book }) => book.state !== "reworded");
  const names = new Set(todo.map(({ book }) => book.name));
  return {
    books: todo.map((one) => ({ ...one, after: one.after.filter((name) => names.has(name)) })),
    reworded: booked.length - todo.length,
  };
}

/** Whether the update runs a step. A command has no other way to run than to be made anew. */
export const isPlanned = ({ op, type }: Resource): boolean =>
  op === "create" || op === "replace" || (op === "update" && !type.startsWith("command:"));

/** Whether a resource holds or runs nothing: it closes a phase, or says that a host is not dialled. */
const isGate = (resource: Resource): boolean =>
  resource.type.startsWith("command:") && triggersOf(resource.now ?? resource.before) === undefined;

const isOwner = ({ type }: Resource): boolean => /^changeover:index:(Transition|AbsentHosts)$/.test(type);

function ownersIn(resources: ReadonlyMap<string, Resource>): Owner[] {
  const kept = [...resources.values()].filter(({ op }) => op !== "delete");
  const children = new Map<string, Resource[]>();
  for (const one of kept) children.set(one.parent ?? "", [...(children.get(one.parent ?? "") ?? []), one]);
  return kept.filter(isOwner).map((resource) => ({ resource, steps: children.get(resource.urn) ?? [] }));
}

/** Transitions after those that they depend on; of others the one that the preview names first. */
function inOrder(owners: readonly Owner[], resources: ReadonlyMap<string, Resource>) {
  const byUrn = new Map(owners.map((owner) => [owner.resource.urn, owner]));
  const reached = new Map<string, ReadonlySet<Owner>>();
  /** Whom a resource waits for, through whatever is between them. */
  const waitsFor = (urn: string, within?: Owner): ReadonlySet<Owner> => {
    const known = reached.get(urn);
    if (known) return known;
    reached.set(urn, new Set());
    const one = resources.get(urn);
    const own = within ?? byUrn.get(one?.parent ?? "");
    const found = new Set<Owner>();
    for (const to of (one?.now ?? one?.before)?.dependencies ?? []) {
      const owner = byUrn.get(resources.get(to)?.parent ?? "");
      if (owner && owner !== own) found.add(owner);
      for (const further of waitsFor(to)) if (further !== own) found.add(further);
    }
    reached.set(urn, found);
    return found;
  };
  const before = new Map(
    owners.map((owner) => [owner, new Set(owner.steps.flatMap(({ urn }) => [...waitsFor(urn, owner)]))]),
  );
  const left = owners.toSorted((a, b) => a.resource.place - b.resource.place);
  const ordered: { readonly owner: Owner; readonly after: readonly Owner[] }[] = [];
  while (left.length > 0) {
    const free = left.findIndex((owner) => !left.some((other) => before.get(owner)?.has(other)));
    const [owner] = left.splice(Math.max(0, free), 1);
    if (owner) ordered.push({ owner, after: [...(before.get(owner) ?? [])] });
  }
  return ordered;
}

function transitionBook({ resource, steps }: Owner, measured: Measured): Omit<Booked, "after"> | undefined {
  const { name, now } = resource;
  const inputs = now?.inputs ?? {};
  const rows = (inputs.rows ?? {}) as Readonly<Record<string, RowFacts>>;
  const pointOfNoReturn = listIn(inputs.pointOfNoReturn);
  const acting = steps.filter((one) => !isGate(one) && !isId(name, one) && modeOf(one) === undefined);
  if (!acting.some(isPlanned)) return undefined;
  const rowOf = new Map(acting.map((one) => [one.name, rowNamed(name, one, rows)]));
  const hosts = listIn(inputs.hosts);
  const key = (one: Resource): readonly number[] => [
    placeOf(rowOf.get(one.name) ?? "", rows),
    hosts.indexOf(triggersOf(one.now)?.host ?? ""),
    one.place,
  ];
  const ordered = acting.toSorted((a, b) => compared(key(a), key(b)));
  const id = steps.find((one) => isId(name, one));
  const facts = { rows, pointOfNoReturn, keepers: textsIn(id?.now?.inputs?.keepers) };
  const told = ordered.map((one) => stepOf(one, rowOf.get(one.name) ?? "", facts));
  const last = lastOf(steps, measured[name]);
  const state = workOf(id && isPlanned(id) ? undefined : last.id, ended(ordered, rowOf, last.id));
  const read = listIn(inputs.goalKeys);
  const short = ordered.map((one) => one.name.slice(name.length + 1));
  const preflight = ordered.find((one) => rowOf.get(one.name) === "preflight");
  const look = preflight && isPlanned(preflight) ? lookIn(preflight) : undefined;
  const reached = wasReached(name, last);
  const way = { before: last.keepers, now: textsIn(inputs.goal), reached };
  const users =
    state === "open" ? usersIn(inputs.users) : noticedOf(usersIn(inputs.users), knownText(inputs.moves), way);
  return {
    book: {
      name,
      goal: goalOf(textsIn(inputs.goal), read),
      was: goalBefore(last, read, state),
      wasReached: reached,
      state,
      ...(look?.refused === undefined ? {} : { refuses: look.refused }),
      ...(users ? { users } : {}),
      measured: comparable(last.runs, knownText(inputs.kind), short),
      wayBack: knownText(inputs.wayBack) ?? "",
      needs: listIn(inputs.needs),
      steps: told,
      skipped: steps.flatMap((one) => skippedIn(one) ?? []),
    },
    rows,
    rowOf,
    pointOfNoReturn,
    ...(look ? { look } : {}),
    ...epochIn(preflight),
  };
}

function absentBook({ steps }: Owner): Omit<Booked, "after"> | undefined {
  const acting = steps.filter((one) => !isGate(one) && modeOf(one) === undefined);
  if (!acting.some(isPlanned)) return undefined;
  const rowOf = new Map(acting.map(({ name }) => [name, name.endsWith("-look") ? "look" : "retire"]));
  const ordered = ["look", "retire"].flatMap((row) => acting.filter(({ name }) => rowOf.get(name) === row));
  return {
    book: {
      name: "absent",
      goal: {},
      state: "planned",
      measured: [],
      wayBack: absentWayBack,
      needs: [],
      steps: ordered.map((one) =>
        stepOf(one, rowOf.get(one.name) ?? "", { rows: {}, pointOfNoReturn: [], keepers: {} }),
      ),
      skipped: steps.flatMap((one) => skippedIn(one) ?? []),
    },
    rows: {},
    rowOf,
    pointOfNoReturn: [],
  };
}

const compared = (a: readonly number[], b: readonly number[]): number =>
  a
    .map((one, index) => one - (b[index] ?? 0))
    .find((difference) => difference !== 0 && !Number.isNaN(difference)) ?? 0;

const isId = (transition: string, { name, type }: Resource): boolean =>
  name === `${transition}-id` && type.startsWith("random:");

const modeOf = (resource: Resource): string | undefined => triggersOf(resource.now)?.mode;

/** The row of a step: what stands in its name between the transition and the host. */
function rowNamed(
  transition: string,
  { name, now }: Resource,
  rows: Readonly<Record<string, RowFacts>>,
): string {
  const short = name.slice(transition.length + 1);
  const host = triggersOf(now)?.host;
  const row = host !== undefined && short.endsWith(`-${host}`) ? short.slice(0, -host.length - 1) : short;
  return short in rows ? short : row;
}

/** Every transition begins with its look and its claims, and ends with its done marks. */
function placeOf(row: string, rows: Readonly<Record<string, RowFacts>>): number {
  const place = rows[row]?.place;
  if (place !== undefined) return place;
  return { preflight: -2, claim: -1 }[row] ?? Infinity;
}

function stepOf(
  resource: Resource,
  row: string,
  {
    rows,
    pointOfNoReturn,
    keepers,
  }: Pick<Booked, "rows" | "pointOfNoReturn"> & { readonly keepers: Keepers },
): RunBookStep {
  const triggers: Triggers = triggersOf(resource.now) ?? {};
  const facts = rows[row];
  const conditional = facts?.conditional ?? false;
  const returns =
    pointOfNoReturn.includes(row) || (conditional && triggers.says?.endsWith(noReturn) === true);
  const bare = (triggers.says ?? facts?.says ?? "").replace(noReturn, "");
  return {
    name: resource.name,
    row,
    phase: facts?.phase ?? row,
    host: hostOf(resource, triggers, keepers[facts?.role ?? ""]),
    says: returns ? `${bare}${noReturn}` : bare,
    pointOfNoReturn: returns,
    conditional,
    planned: isPlanned(resource),
  };
}

/** @param wanted the host that the goal names, for as long as the engine does not know it. */
function hostOf({ type, now }: Resource, { host }: Triggers, wanted: string | undefined): string {
  if (!type.startsWith("command:")) return "platform";
  if (host !== undefined) return host;
  return type.startsWith("command:local:") || now === undefined ? "operator" : (wanted ?? newHost);
}

/** The runs that the state remembers, by transition. */
type Measured = Readonly<Record<string, readonly Run[]>>;

function measuredIn(resources: ReadonlyMap<string, Resource>): Measured {
  const found = [...resources.values()].find(({ type }) => type === "changeover:index:Measured");
  return (found?.before?.outputs?.runs ?? {}) as Measured;
}

/** What the state said of the transition after the last update. */
function lastOf(steps: readonly Resource[], runs: readonly Run[] = []): LastTransition {
  const outputs = steps.find(({ type, before: had }) => type.startsWith("random:") && had?.outputs?.keepers)
    ?.before?.outputs;
  return {
    steps: new Map(
      steps.flatMap((one): [string, RanFor][] => {
        const { transition, machine } = triggersOf(one.before) ?? {};
        return transition === undefined ? [] : [[one.name, { transition, machine }]];
      }),
    ),
    id: knownText(outputs?.hex),
    ...(outputs === undefined ? {} : { keepers: textsIn(outputs.keepers) }),
    runs,
  };
}

/** Which hosts have ended the transition of an id, and which have never been in it. */
const ended = (steps: readonly Resource[], rowOf: ReadonlyMap<string, string>, id: string | undefined) =>
  steps
    .filter(({ name }) => rowOf.get(name) === "done")
    .map(({ before, now }) => {
      const [ran, runs] = [triggersOf(before), triggersOf(now)];
      return {
        isNew: ran === undefined || ran.machine !== runs?.machine,
        isDone: id !== undefined && ran?.transition === id,
      };
    });

function usersIn(value: unknown): UsersNotice | undefined {
  const { notice, from, to } = textsIn(value);
  if (notice === undefined || from === undefined) return undefined;
  return { notice, from, ...(to === undefined ? {} : { to }) };
}

function skippedIn({ now }: Resource): string | undefined {
  const { host, mode } = triggersOf(now) ?? {};
  const why = mode?.replace(/^skipped: /, "");
  if (host === undefined || why === undefined) return undefined;
  return /^(unreachable|suspect)$/.test(why) ? `${host} is in changeover:${why}` : `${host} is ${why}`;
}

function lookIn({ now }: Resource): PlannedLook {
  const [create, stdin] = [knownText(now?.inputs?.create), knownText(now?.inputs?.stdin)];
  const refused = create === undefined ? undefined : refusedBy(create);
  return { ...(refused === undefined ? {} : { refused }), ...(stdin === undefined ? {} : { order: stdin }) };
}

function epochIn(preflight: Resource | undefined): Pick<Booked, "epoch"> {
  const epoch = Number(epochOf(knownText(preflight?.before?.outputs?.stdout)));
  return epoch > 0 ? { epoch } : {};
}
