import { clocksIn } from "../../transition/decide.ts";
import { type ExportedEntry, nameOf, openTransitions, triggersOf } from "../../transition/open.ts";
import { timesOf, tailOf } from "../../transition/receipt.ts";
import type { Run } from "../../transition/run-book.ts";
import type { Deployment } from "../stack.ts";
import { goalOf, runsOf, turns, usersOf, wayBackOf, withoutTurn } from "./told.ts";

/** Where a step without a host ran. */
export const operator = "operator";
/** Who did what no script did. */
export const platform = "platform";

/** One step that ran, in ms since 1970 by the operator's clock. */
export interface Bar {
  /** Without the name of its transition: `fence`, `claim-slayer`. */
  readonly step: string;
  readonly host: string;
  /** What became true. */
  readonly says: string;
  readonly began: number;
  readonly ended: number;
  readonly pointOfNoReturn: boolean;
  /** Why its verdict was bad. */
  readonly bad?: string;
}

/** Bars without a long gap between them: one update, or the part of it after which it was run again. */
export interface Part {
  readonly bars: readonly Bar[];
  readonly began: number;
  readonly ended: number;
  /** For how long nothing had run before it, in ms; undefined for the first part. */
  readonly gap?: number;
}

/** For how long users were away, and what they noticed. Ends are ms since 1970. */
export interface Away {
  readonly notice: string;
  readonly from: number;
  /** Undefined: the row that ends it has not run, or is one of a later transition. */
  readonly to?: number;
  readonly endsLater?: true;
}

/** Who did what when in the last run of one transition. */
export interface Timeline {
  /** `sounz-switch`. */
  readonly transition: string;
  readonly id: string;
  readonly goal: Readonly<Record<string, string>>;
  /** In the order in which they ran; empty: no step ran, or receipts without times are all that there is. */
  readonly parts: readonly Part[];
  /** In the order in which they first act. */
  readonly hosts: readonly string[];
  readonly away?: Away;
  /** When the first act began that has no way back but a new goal. */
  readonly pointOfNoReturn?: number;
  /** Steps that are to run still; undefined: it is complete. */
  readonly open?: readonly string[];
  readonly wayBack?: string;
  /** Steps that ran and whose receipt has no times: a release before them wrote it, or the state keeps it secret. */
  readonly untimed: readonly string[];
  /** Hosts that were left out, with the reason. */
  readonly skipped: readonly string[];
  /** Clocks that differed from the operator's at the preflight, in ms ahead by host; the bars are corrected by them. */
  readonly clocks: ReadonlyMap<string, number>;
  /** Runs before and this one, newest first; empty in a state of an older release. */
  readonly runs: readonly Run[];
}

/** Nothing may run for so long within one update: gates and writes of a big state take seconds. */
const gapMs = 60_000;

/** The last run of every transition of a state; the one that ran last comes first, those without times come at the end. */
export function timelinesIn({ resources = [] }: Deployment): Timeline[] {
  const live = resources.filter((entry) => !entry.delete);
  const open = new Map(openTransitions(resources).map(({ name, behind }) => [name, behind]));
  return live
    .filter(({ type }) => type === "changeover:index:Transition")
    .map((component) => {
      const children = live.filter(({ parent }) => parent === component.urn);
      const name = nameOf(component.urn);
      return timelineOf(component, children, { open: open.get(name), runs: runsOf(resources, name) });
    })
    .sort((a, b) => endOf(b) - endOf(a));
}

/** When the last step of a timeline ended, in ms since 1970; 0 when no step has times. */
export const endOf = ({ parts }: Timeline): number => parts.at(-1)?.ended ?? 0;

/** When its first step began; 0 when no step has times. */
export const beginOf = ({ parts }: Timeline): number => parts[0]?.began ?? 0;

/** @throws when there is nothing to draw. */
export function requireTimes({ transition, parts }: Timeline): void {
  if (parts.length === 0)
    throw new Error(
      `${transition}: no step with times has run; npm run timeline -- --transition ${transition} says more`,
    );
}

/** All bars of all parts, in the order in which they began. */
export const barsOf = ({ parts }: Timeline): readonly Bar[] => parts.flatMap(({ bars }) => bars);

function timelineOf(
  component: ExportedEntry,
  children: readonly ExportedEntry[],
  { open, runs }: { readonly open: readonly string[] | undefined; readonly runs: readonly Run[] },
): Timeline {
  const transition = nameOf(component.urn);
  const named = (entry: ExportedEntry) => nameOf(entry.urn).slice(transition.length + 1);
  const id = text(children.find((entry) => named(entry) === "id")?.outputs?.hex) ?? "";
  const steps = children.filter((entry) => triggersOf(entry).transition === id);
  const clocks = clocksOf(steps.find((entry) => named(entry) === "preflight"));
  const ran = steps.filter((entry) => tailOf(receiptOf(entry)).complete === undefined);
  const timed = ran.flatMap((entry) => barOf(component, entry, named(entry), clocks) ?? []);
  const began = Math.min(...timed.map((bar) => bar.began));
  const bars = [...timed, ...children.flatMap((entry) => moveOf(entry, named(entry), began) ?? [])].sort(
    (a, b) => a.began - b.began || a.ended - b.ended,
  );
  const hosts = [...new Set(bars.map(({ host }) => host))];
  return {
    transition,
    id,
    goal: goalOf(component),
    parts: partsOf(bars),
    hosts,
    away: awayOf(component, bars),
    pointOfNoReturn: bars.find((bar) => bar.pointOfNoReturn)?.began,
    open: open?.map((step) => step.slice(transition.length + 1)),
    wayBack: wayBackOf(component),
    untimed: ran.filter((entry) => !timesOf(receiptOf(entry))).map(named),
    skipped: children.flatMap((entry) => skippedOf(entry)),
    clocks: new Map([...clocks].filter(([host, ms]) => ms !== 0 && hosts.includes(host))),
    runs,
  };
}

/** A secret is an object in an export, and no receipt is read from it. */
const receiptOf = ({ outputs }: ExportedEntry): string | undefined =>
  typeof outputs?.stdout === "string" ? outputs.stdout : undefined;

const clocksOf = (preflight: ExportedEntry | undefined): ReadonlyMap<string, number> =>
  clocksIn(tailOf(preflight && receiptOf(preflight)));

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

function barOf(
  component: ExportedEntry,
  entry: ExportedEntry,
  step: string,
  clocks: ReadonlyMap<string, number>,
): Bar | undefined {
  const receipt = receiptOf(entry);
  const ran = timesOf(receipt);
  if (!ran) return undefined;
  const { says, host: on } = triggersOf(entry);
  const host = text(on) ?? operator;
  const began = ran.began.getTime() - (clocks.get(host) ?? 0);
  const { verdict, why } = tailOf(receipt);
  const sentence = text(says) ?? "";
  return {
    step,
    host,
    says: withoutTurn(sentence),
    began,
    ended: began + ran.seconds * 1000,
    pointOfNoReturn: turns(component, (row) => isOfRow(row, step, host), sentence),
    ...(verdict === "bad" ? { bad: why ?? "it does not say why" } : {}),
  };
}

/** A step is named by its row, and by its host where the row runs on many. */
const isOfRow = (row: string, step: string, host: string): boolean =>
  step === row || step === `${row}-${host}`;

/** What the platform did: it leaves no receipt, so only the time is known at which the state took it up. */
function moveOf(entry: ExportedEntry, step: string, began: number): Bar | undefined {
  const { type, inputs, modified } = entry;
  const isGate = type.startsWith("command:") && inputs?.create === undefined;
  if (isGate || type.startsWith("random:") || Object.keys(triggersOf(entry)).length > 0) return undefined;
  const at = new Date(modified ?? NaN).getTime();
  if (!(at >= began)) return undefined;
  return { step, host: platform, says: "done by the platform", began: at, ended: at, pointOfNoReturn: false };
}

function skippedOf(entry: ExportedEntry): string[] {
  const { host, mode } = triggersOf(entry);
  return typeof mode === "string" && typeof host === "string" ? [`${host} ${mode}`] : [];
}

function partsOf(bars: readonly Bar[]): Part[] {
  const parts: { bars: Bar[]; began: number; ended: number; gap?: number }[] = [];
  for (const bar of bars) {
    const last = parts.at(-1);
    if (last && bar.began - last.ended <= gapMs) {
      last.bars.push(bar);
      last.ended = Math.max(last.ended, bar.ended);
    } else {
      const gap = last && bar.began - last.ended;
      parts.push({ bars: [bar], began: bar.began, ended: bar.ended, ...(gap === undefined ? {} : { gap }) });
    }
  }
  return parts;
}

/** From the begin of the row that cuts users off to the end of the row that serves them again. */
function awayOf(component: ExportedEntry, bars: readonly Bar[]): Away | undefined {
  const users = usersOf(component);
  if (!users) return undefined;
  const of = (row: string) => bars.filter(({ step, host }) => isOfRow(row, step, host));
  const begins = of(users.from);
  if (begins.length === 0) return undefined;
  const from = Math.min(...begins.map(({ began }) => began));
  if (users.to === undefined) return { notice: users.notice, from, endsLater: true };
  const to = Math.max(...of(users.to).map(({ ended }) => ended));
  return { notice: users.notice, from, ...(to >= from ? { to } : {}) };
}
