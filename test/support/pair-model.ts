import { readFileSync } from "node:fs";
import { join } from "node:path";
import { decidePair, type Look, type PairFacts, type PairWanted } from "../../components/pair/decide.ts";
import { type Status, statusesOf } from "../../components/pair/goal.ts";
import { aloneTable, switchTable } from "../../components/pair/table.ts";
import { receiptLine, tailOf } from "../../transition/receipt.ts";
import { type Row, rowName } from "../../transition/table.ts";

export type Host = "slayer" | "megadeth";
export const hosts: readonly Host[] = ["slayer", "megadeth"];
export const otherOf = (host: Host): Host => (host === "slayer" ? "megadeth" : "slayer");

/** A record of a transition on a machine. */
interface Mark {
  readonly id: string;
  readonly epoch: number;
}

/** The records of a machine. `down` has room of its own, or else a mark in the data. */
export const recordNames = [
  "claim",
  "serving",
  "alone",
  "down",
  "seen",
  "fence",
  "expired",
  "rewinding",
  "status",
  "done",
  "all",
] as const;
export type RecordName = (typeof recordNames)[number];

/** One machine of the pair: what survives a power cut (records, data) and what does not. */
export interface Machine {
  readonly name: Host;
  power: boolean;
  cable: boolean;
  frozen: boolean;
  server: "stopped" | "standby" | "writer";
  /** `standby.signal` in its data. */
  signal: boolean;
  serving: Mark | null;
  /** `serving.before` of lib.sh. */
  before: Mark | null;
  alone: number;
  down: string | null;
  /** It stepped down and was not taken in since, whatever its records say. */
  parted: boolean;
  seen: number;
  claim: Mark | null;
  done: string | null;
  fence: (Mark & { readonly position: number; readonly was: Machine["server"] }) | null;
  /** How much it had when it was promoted last; what it copies from the other has the other's history. */
  forkedAt: number | null;
  /** Runs of which nothing acts here any more. */
  readonly expired: string[];
  holds: boolean;
  /** `/run/changeover-<pair>.started`. */
  started: boolean;
  rewinding: boolean;
  status: Status | null;
  /** The record that can't be written: its disk is full, or read-only. */
  spoilt: RecordName | null;
  log: number[];
  setAside: number[];
}

interface Goal {
  readonly production: Host;
  readonly lost: boolean;
}

/** What Pulumi's state knows of the transition: which steps ended, and what their receipts said. */
interface Run extends Goal {
  readonly id: string;
  stalls: boolean;
  /** The fence found a writer. */
  fenced?: boolean;
  epoch: number;
  already: boolean;
  receipt: string;
  readonly ended: string[];
}

export interface World {
  readonly machines: Readonly<Record<Host, Machine>>;
  run: Run | null;
  runs: number;
  writes: number;
  /** Writes that users were told are safe. */
  readonly acknowledged: number[];
  /** Acknowledged, and missing on a machine when a person had it serve without the other. */
  readonly excused: Set<number>;
  /**
   * A person had a machine serve that could not know what the other is: made production for no older epoch, with the
   * licence to serve in silence, or running though that person said that it is off. When this one dies as well, the
   * other may serve what it has. By design only a person can tell them apart; nothing may be destroyed all the same.
   */
  blind: boolean;
  /** The highest epochs that were seen, for what must never fall. */
  readonly highest: Record<Host, { epoch: number; wrote: number }>;
}

/** An `up`: what the config says, and when it, or the machine that it is busy with, is ended. */
export interface Up extends Goal {
  readonly type: "up";
  /** Something can power the lost machine off. */
  readonly fence?: boolean;
  /** The line for lost data is in the config (the one for a missing fence always is). */
  readonly acceptLoss?: boolean;
  /** The standby gets nothing of what is written from the fence on. */
  readonly stalls?: boolean;
  /** With `--replace` of the id. */
  readonly fresh?: boolean;
  /** Between two steps a second passes: users write, and the watches look. */
  readonly slow?: boolean;
  /** `up` is killed after so many steps. */
  readonly steps?: number;
  /** The power of the machine of the next step is cut after so many of its acts. */
  readonly acts?: number;
  /** The step fails by itself there instead (a full disk, a service that hangs): what it does at its exit still runs. */
  readonly fails?: boolean;
}

export type Fault =
  "powerCut" | "shutdown" | "boot" | "cut" | "mend" | "freeze" | "thaw" | "tick" | "promote";
/** From now on a record can't be written on a machine; `null`: all can. */
export interface Spoil {
  readonly type: "spoil";
  readonly host: Host;
  readonly record: RecordName | null;
}
export type Event =
  | Spoil
  | { readonly type: "write"; readonly lags: boolean }
  | { readonly type: Fault; readonly host: Host }
  | Up;

const answers = ({ power, cable, frozen }: Machine): boolean => power && cable && !frozen;
const hear = (world: World): boolean => hosts.every((host) => answers(world.machines[host]));
const peerOf = (world: World, { name }: Machine): Machine => world.machines[otherOf(name)];
const isPrefix = (short: readonly number[], long: readonly number[]): boolean =>
  short.length <= long.length && short.every((write, index) => write === long[index]);

/** A machine that users reach and that takes their writes. */
export const serves = (machine: Machine): boolean =>
  answers(machine) && machine.server === "writer" && machine.holds;

/** Whether a machine streams: only a log that is the beginning of the other's can. */
export function streams(world: World, machine: Machine): boolean {
  const peer = peerOf(world, machine);
  return (
    machine.server === "standby" &&
    peer.server !== "stopped" &&
    hear(world) &&
    isPrefix(machine.log, peer.log)
  );
}

function replicate(world: World, machine: Machine): void {
  if (streams(world, machine)) machine.log = [...peerOf(world, machine).log];
}

/** `epoch` of role.py. */
const epochOf = ({ serving, alone, claim, seen }: Machine): number =>
  Math.max(serving?.epoch ?? 0, alone, claim?.epoch ?? 0, seen);

// --- The watch: guard.json is the real table, `features` the twin of guard.py.

interface GuardRow {
  readonly when: Readonly<Record<string, string | boolean>>;
  readonly then: "nothing" | "yield" | "start" | "serve" | "wait";
  readonly why: string;
}
const guard = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../scripts/pair/guard.json"), "utf8"),
) as GuardRow[];

function otherFor(
  own: Machine,
  peer: Machine | undefined,
): "silent" | "conflict" | "newer" | "intends" | "older" {
  if (!peer) return "silent";
  const [mine, theirs] = [own.serving?.epoch ?? 0, peer.serving?.epoch ?? 0];
  if (theirs === mine && mine > 0 && peer.serving?.id !== own.serving?.id) return "conflict";
  if (theirs <= mine) return "older";
  return peer.signal ? "intends" : "newer";
}

function features(own: Machine, peer: Machine | undefined): Record<string, string | boolean> {
  return {
    role: own.rewinding ? "none" : own.signal ? "standby" : "writer",
    runs: own.server !== "stopped",
    down: own.down !== null,
    alone: own.alone > 0,
    copy: false,
    started: own.started,
    other: otherFor(own, peer),
    otherServes: peer !== undefined && (peer.holds || (peer.server !== "stopped" && !peer.signal)),
  };
}

function guardRow(seen: Record<string, string | boolean>): GuardRow {
  const row = guard.find(({ when }) => Object.entries(when).every(([key, value]) => seen[key] === value));
  if (!row) throw new Error(`guard.json has no row for ${JSON.stringify(seen)}`);
  return row;
}

/** One look of watch.py, and what follows. */
export function tick(world: World, own: Machine): void {
  if (!own.power || own.frozen) return;
  const peer = hear(world) ? peerOf(world, own) : undefined;
  if (own.server !== "stopped") own.started = true;
  if (peer) {
    if (canWrite(own, "seen")) own.seen = Math.max(own.seen, epochOf(peer));
    // One that runs, and is not down, can be made production from now on: silence may mean that again.
    if (peer.server !== "stopped" && peer.down === null) own.alone = 0;
  }
  const { then, why } = guardRow(features(own, peer));
  if (then === "yield") stepDown(own, why);
  if (then === "start") startServer(own);
  if (then === "serve" && (own.holds || !peer?.holds)) {
    startServer(own);
    own.holds = own.server === "writer";
  }
}

/** step-down.sh */
function stepDown(own: Machine, why: string): void {
  own.signal = true;
  own.holds = false;
  own.server = "stopped";
  Object.assign(own, { down: why, parted: true, alone: 0 });
  if (canWrite(own, "status")) own.status = "down";
}

// --- The scripts, act by act: at each `yield` the power may go.

class Stop extends Error {}
const stopIf = (bad: boolean, why: string): void => {
  if (bad) throw new Stop(why);
};
const canWrite = ({ spoilt }: Machine, record: RecordName): boolean => spoilt !== record && spoilt !== "all";
const mustWrite = (machine: Machine, record: RecordName): void => {
  stopIf(!canWrite(machine, record), `${machine.name} can't write its record ${record}`);
};
type Acts = Generator<undefined, void>;
interface Step {
  readonly world: World;
  readonly self: Machine;
  readonly peer: Machine;
  readonly run: Run;
}

function start(machine: Machine): void {
  if (machine.server === "stopped") machine.server = machine.signal ? "standby" : "writer";
}

/** start_server of lib.sh */
function startServer(machine: Machine): void {
  stopIf(machine.rewinding, "half rewound");
  stopIf(machine.down !== null, "down until it follows");
  start(machine);
}

function requireClaim({ self, run }: Step): void {
  stopIf(self.claim?.id !== run.id, `${self.name} is claimed by another run`);
  stopIf(self.expired.includes(run.id), `what ${run.id} did on ${self.name} was put back`);
}

function servingFromNow({ self, run }: Step): void {
  if (self.serving?.id === run.id) return;
  mustWrite(self, "serving");
  if (self.serving) self.before = self.serving;
  self.serving = { id: run.id, epoch: self.claim?.epoch ?? 0 };
}

/** not_serving of lib-serve-alone.sh */
function notServing(self: Machine): void {
  self.serving = self.before;
  self.before = null;
}

/** The server's promotion takes its `standby.signal` away. */
function promote(self: Machine): void {
  Object.assign(self, { server: "writer", signal: false, forkedAt: self.log.length });
}

function* rewind({ self, peer }: Step): Acts {
  self.server = "stopped";
  const fork = self.log.findIndex((write, index) => write !== peer.log[index]);
  if (fork >= 0) {
    if (!self.rewinding) self.setAside.push(...self.log.slice(fork));
    yield;
    mustWrite(self, "rewinding");
    self.rewinding = true;
    self.log = self.log.slice(0, fork);
    yield;
  }
  self.log = [...peer.log];
  self.forkedAt = peer.forkedAt;
  self.signal = true;
  Object.assign(self, { rewinding: false, down: null, parted: false });
  yield;
  startServer(self);
}

function* followPeer(step: Step): Acts {
  const { world, self } = step;
  stopIf(!hear(world) || step.peer.server !== "writer", "the peer does not let it in");
  self.signal = true;
  yield;
  if (!self.rewinding && self.down === null) {
    startServer(self);
    if (streams(world, self)) {
      replicate(world, self);
      return;
    }
  }
  yield* rewind(step);
}

function* ready(step: Step): Acts {
  const { world, self, peer } = step;
  if (self.server === "writer") {
    self.signal = false;
    return;
  }
  stopIf(!hear(world), "the peer gave no answer");
  if (peer.server === "writer") return yield* followPeer(step);
  self.signal = true;
  yield;
  startServer(self);
}

function* fence(step: Step): Acts {
  const { world, self, peer, run } = step;
  const was = self.fence?.id === run.id ? self.fence.was : self.server;
  if (self.server === "writer") stopIf(!streams(world, peer), "the peer does not stream");
  requireClaim(step);
  run.fenced = self.server === "writer";
  self.signal = true;
  yield;
  if (self.server === "writer") {
    if (run.stalls) write(world, true);
    else replicate(world, peer);
    self.server = "stopped";
  }
  yield;
  self.holds = false;
  yield;
  // What only such a one has is no part of the pair; another is read-only again, by a timer or to know what it has.
  const outside =
    self.rewinding || self.down !== null || (was !== "writer" && hear(world) && peer.server === "writer");
  if (!self.rewinding && self.down === null) start(self);
  mustWrite(self, "fence");
  self.fence = { id: run.id, epoch: self.claim?.epoch ?? 0, position: outside ? 0 : self.log.length, was };
}

function* takeover(step: Step): Acts {
  const { world, self, peer, run } = step;
  stopIf(!hear(world), "the peer gave no answer");
  stopIf(peer.claim?.id !== run.id || peer.fence?.id !== run.id, "the peer is not fenced by this run");
  stopIf(peer.server === "writer" || (peer.server === "stopped" && !peer.signal), "the peer may write");
  if (self.server === "stopped") {
    self.signal = true;
    yield;
    startServer(self);
  }
  stopIf(!self.holds && peer.holds, "the address is held");
  if (self.server === "writer") {
    const fenced = peer.fence?.was === "writer" ? peer.fence.position : 0;
    const lacks = self.serving?.id !== run.id && self.forkedAt !== null && self.forkedAt < fenced;
    stopIf(lacks, `${self.name} was promoted by hand, and lacks writes`);
    self.signal = false;
  } else yield* takeoverPromotes(step);
  requireClaim(step);
  self.holds = true;
  yield;
  servingFromNow(step);
  yield;
  Object.assign(self, { fence: null, alone: 0 });
}

function* takeoverPromotes(step: Step): Acts {
  const { world, self, peer, run } = step;
  if (!run.stalls) replicate(world, self);
  // The script compares positions in the log, not histories.
  if (self.log.length < (peer.fence?.position ?? 0)) return yield* lift(step);
  requireClaim(step);
  servingFromNow(step);
  yield;
  promote(self);
  yield;
}

/** This machine never promotes under the id again; then the other serves on, if it hears of that. */
function* lift({ world, self, peer, run }: Step): Acts {
  mustWrite(self, "expired");
  self.expired.push(run.id);
  yield;
  const may =
    hear(world) && peer.claim?.id === run.id && peer.fence?.id === run.id && peer.fence.was === "writer";
  stopIf(!may || peer.down !== null, "the peer wrote more, and can't be told to serve again");
  mustWrite(peer, "expired");
  peer.expired.push(run.id);
  yield;
  startServer(peer);
  mustWrite(peer, "serving");
  peer.serving = { id: run.id, epoch: peer.claim?.epoch ?? 0 };
  yield;
  promote(peer);
  yield;
  peer.holds = true;
  peer.fence = null;
  throw new Stop("the peer wrote more, and serves again");
}

/** or_give_back of lib-cancel-fence.sh: only while nothing can have ordered this machine's promotion. */
function* orGiveBack(step: Step): Acts {
  const { world, self, peer, run } = step;
  if (self.claim?.id !== run.id || self.expired.includes(run.id) || !hear(world)) return;
  if (peer.fence?.id !== run.id || peer.fence.was !== "writer") return;
  if (self.server === "stopped") self.signal = true;
  if (self.serving?.id === run.id || self.server === "writer") return;
  yield* lift(step);
}

/** or_serve_again of fence.sh: without the record of the fence no machine takes over. */
function* orServeAgain({ self, run }: Step): Acts {
  // The script arms it when it begins to fence a writer; a standby was not one.
  if (self.claim?.id !== run.id || self.fence?.id === run.id || !run.fenced) return;
  yield;
  startServer(self);
  self.serving = { id: run.id, epoch: self.claim.epoch };
  yield;
  promote(self);
  yield;
  self.holds = true;
}

const exits: Readonly<Record<string, (step: Step) => Acts>> = {
  "pair/fence": orServeAgain,
  "pair/takeover": orGiveBack,
};

function* follow(step: Step): Acts {
  stopIf(step.self.server === "writer", "it accepts writes");
  stopIf(!hear(step.world) || step.peer.server !== "writer", "there is nothing to follow");
  yield* followPeer(step);
}

function isGone({ world, self, peer, run }: Step): boolean {
  if (!hear(world)) return true;
  const harmless = !peer.holds && (peer.signal || peer.server === "stopped");
  return harmless && tailOf(run.receipt).epoch === String(self.claim?.epoch ?? 0);
}

/** Users get what this machine has from now on, and a person said so. */
function excuseMissing(world: World, self: Machine): void {
  for (const write of world.acknowledged) if (!self.log.includes(write)) world.excused.add(write);
}
const giveUp = ({ world, self }: Step): void => {
  excuseMissing(world, self);
};

function* alone(step: Step): Acts {
  const { self } = step;
  if (self.server !== "writer") yield* alonePromotes(step);
  else if (!self.holds) stopIf(!isGone(step), "the peer is not gone");
  self.signal = false;
  servingFromNow(step);
  yield;
  requireClaim(step);
  giveUp(step);
  self.holds = true;
  yield;
  mustWrite(self, "alone");
  self.alone = self.claim?.epoch ?? 0;
  yield;
  self.fence = null;
}

function* alonePromotes(step: Step): Acts {
  const { world, self, peer } = step;
  servingFromNow(step);
  if ((peer.serving?.epoch ?? 0) >= (self.serving?.epoch ?? 0)) world.blind = true;
  yield;
  if (!isGone(step)) {
    notServing(self);
    throw new Stop("the peer is not gone");
  }
  if (peer.alone > 0 || peer.server === "writer") world.blind = true;
  giveUp(step);
  Object.assign(self, { down: null, parted: false });
  yield;
  if (self.server === "stopped") {
    self.signal = true;
    yield;
    startServer(self);
  }
  requireClaim(step);
  promote(self);
  yield;
}

function* status({ self, run }: Step): Acts {
  const word = wordsOf(run)[self.name] as Status;
  const isSo = {
    production: self.server === "writer" && self.holds,
    standby: self.server === "standby",
    production_alone: self.server === "writer" && self.holds,
    down: self.server !== "writer",
    standby_as_production: self.server === "writer" && self.holds,
    production_as_standby: self.server === "standby",
  }[word];
  stopIf(!isSo, `${self.name} is not ${word}`);
  yield;
  mustWrite(self, "status");
  self.status = word;
}

/** Whether commits wait for the standby is no state of the model: writes that lag are events of their own. */
function* commits({ self }: Step): Acts {
  stopIf(self.server !== "writer", `${self.name} accepts no writes`);
  yield;
}

const scripts: Readonly<Record<string, (step: Step) => Acts>> = {
  "pair/require-ready": ready,
  "pair/fence": fence,
  "pair/takeover": takeover,
  "pair/follow": follow,
  "pair/serve-alone": alone,
  "pair/write-status": status,
  "pair/set-commit-mode": commits,
};

/** claim.sh */
function claim({ self, run }: Step): void {
  if (self.done === run.id) return;
  const claimed = self.claim?.epoch ?? 0;
  stopIf(run.epoch < claimed || (run.epoch === claimed && self.claim?.id !== run.id), "another claim");
  mustWrite(self, "claim");
  self.claim = { id: run.id, epoch: run.epoch };
}

/** done.sh */
function done(step: Step): void {
  if (step.self.done !== step.run.id) requireClaim(step);
  mustWrite(step.self, "done");
  step.self.done = step.run.id;
}

/** components/pair/run/isolate.ts */
function isolate(world: World, run: Run): void {
  if (!run.already) powerOff(world.machines[otherOf(run.production)]);
  run.receipt = receiptLine("cut off", { began: new Date(0), seconds: 0 }, { epoch: String(run.epoch) });
}

function check(world: World, { production, lost }: Goal): void {
  const serving = world.machines[production];
  stopIf(!serves(serving), "the service address does not answer as production");
  stopIf(!lost && !streams(world, peerOf(world, serving)), "the standby does not stream");
}

// --- `up`: the rows of the real tables, one after another.

interface Declared {
  readonly name: string;
  readonly on: Host | "operator";
  /** One act only: a record, or a look. */
  readonly short: boolean;
  readonly act: (step: Step) => Acts;
  /** What it does when it fails. */
  readonly exit?: (step: Step) => Acts;
}

/** The status of each machine under a goal, by the real rule. */
export function wordsOf({ production, lost }: Goal): Readonly<Record<string, Status>> {
  return statusesOf({
    primary: "slayer",
    secondary: "megadeth",
    production,
    unreachable: lost ? [otherOf(production)] : [],
  });
}

const atOnce = (act: (step: Step) => void): ((step: Step) => Acts) =>
  function* (step) {
    act(step);
    yield;
  };

function declared(row: Row, goal: Goal, members: readonly Host[]): Declared[] {
  if (row.script === "pair/isolate")
    return [
      { name: row.phase, on: "operator", short: true, act: atOnce(({ world, run }) => isolate(world, run)) },
    ];
  if (row.script === "pair/check-service")
    return [
      { name: row.phase, on: "operator", short: true, act: atOnce(({ world, run }) => check(world, run)) },
    ];
  const act = scripts[row.script];
  if (!act) throw new Error(`the model has no twin of ${row.script}`);
  const roles: Readonly<Record<string, readonly Host[]>> = {
    each: members,
    production: [goal.production],
    standby: [otherOf(goal.production)],
  };
  const on = roles[row.on];
  if (!on) throw new Error(`the model knows no role ${row.on}`);
  return on.map((host) => ({
    name: `${rowName(row)}-${host}`,
    on: host,
    short: ["pair/write-status", "pair/set-commit-mode"].includes(row.script),
    act: asStep(act),
    exit: exits[row.script],
  }));
}

/** step.sh: nothing when the transition is done there, and not without the claim. */
const asStep = (act: (step: Step) => Acts): ((step: Step) => Acts) =>
  function* (step) {
    if (step.self.done === step.run.id) return;
    requireClaim(step);
    yield* act(step);
  };

/** All steps of an `up`, in their order. */
export function stepsOf(order: Up): Declared[] {
  const members = order.lost ? [order.production] : hosts;
  const how = { platformMovesAddress: false, checksFromHost: false };
  const table = order.lost
    ? aloneTable({ ...how, fencedBy: order.fence ? "operator" : "nobody" })
    : switchTable(how);
  const each = (name: string, act: (step: Step) => void): Declared[] =>
    members.map((host) => ({ name: `${name}-${host}`, on: host, short: true, act: atOnce(act) }));
  return [
    {
      name: "preflight",
      on: "operator",
      short: true,
      act: atOnce(({ world, run }) => preflight(world, run, order)),
    },
    ...each("claim", claim),
    ...table.flatMap((row) => declared(row, order, members)),
    ...each("done", done),
  ];
}

const lsn = (writes: number): string => `0/${writes.toString(16).toUpperCase()}`;

function factsOf(world: World, machine: Machine): PairFacts {
  const { name, claim: claimed, done: ended, server } = machine;
  return {
    host: name,
    now_ms: 0,
    stack: "5ac4",
    holder: null,
    cluster: "ours",
    system_id: "77",
    claim: claimed && { ...claimed, transition: "switch" },
    done: ended === null ? {} : { switch: ended },
    postgres: server === "stopped" ? "stopped" : "running",
    in_recovery: server === "stopped" ? null : server === "standby",
    standby_signal: machine.signal,
    streaming: streams(world, machine) ? { from: otherOf(name), lag_bytes: 0 } : null,
    fence: machine.fence && {
      ...machine.fence,
      epoch: String(machine.fence.epoch),
      position: lsn(machine.fence.position),
    },
    serving: machine.serving?.epoch ?? 0,
    forked_at: server === "writer" && machine.forkedAt !== null ? lsn(machine.forkedAt) : null,
    holds_address: machine.holds,
    free_mib: 9000,
    address_in_network_files: null,
    last_commit_s: 1,
    copies: {},
    stands_still: false,
    epoch: epochOf(machine),
    down: machine.down,
    half_made: machine.rewinding,
  };
}

/** The real decision, of facts that the machines in the config would give now. */
function preflight(world: World, run: Run, order: Up): void {
  const { production, lost } = order;
  const looks = (lost ? [production] : hosts).map((host): Look => {
    const machine = world.machines[host];
    return answers(machine) ? { host, facts: factsOf(world, machine), skewMs: 0 } : { host };
  });
  const wanted: PairWanted = {
    component: "sounz",
    transition: "switch",
    stack: "5ac4",
    production,
    standby: otherOf(production),
    maxLagMiB: 16,
    maxClockSkewSeconds: 5,
    minFreeMiB: 512,
    copies: [],
    maxCopyAgeMinutes: 60,
    ...(lost ? { lost: otherOf(production), fenced: order.fence === true } : {}),
  };
  // A person copies the line with its epoch from the refusal.
  const { epoch } = decidePair(looks, wanted);
  const accepted = {
    acceptSplitBrainRisk: `${epoch}: it is off`,
    ...(order.acceptLoss ? { acceptDataLoss: `${epoch}: it is gone` } : {}),
  };
  const { refusals, tail } = decidePair(looks, { ...wanted, ...accepted });
  stopIf(refusals.length > 0, `preflight: ${refusals.join("; ")}`);
  Object.assign(run, { epoch, already: tail?.serving === production });
  if (order.acceptLoss && !lost && run.already) excuseMissing(world, world.machines[production]);
}

function runOf(world: World, { production, lost, fresh }: Up): Run {
  const { run } = world;
  if (run && !fresh && run.production === production && run.lost === lost) return run;
  world.runs += 1;
  const id = `run${world.runs}`;
  world.run = { id, production, lost, epoch: 0, stalls: false, already: false, receipt: "none", ended: [] };
  return world.run;
}

function perform(
  world: World,
  run: Run,
  { on, act, exit }: Declared,
  { slow: between, fails }: Up,
  acts?: number,
): void {
  const self = world.machines[on === "operator" ? run.production : on];
  if (on !== "operator") stopIf(!answers(self), `${on} does not answer`);
  const step = { world, self, peer: peerOf(world, self), run };
  /** Whether it came to its end within so many acts. */
  const goes = (going: Acts, most?: number): boolean => {
    for (let count = 0; count !== most; count += 1) {
      if (going.next().done) return true;
      requireOneProduction(world);
      // The lock keeps a watch from acting beside a step of its own machine; the other one's looks at any time.
      if (between && on !== "operator") tick(world, peerOf(world, self));
    }
    return false;
  };
  if (goes(act(step), acts)) return;
  if (fails && exit) {
    goes(exit(step));
    throw new Stop(`the step on ${on} failed`);
  }
  if (on !== "operator") powerOff(self);
  throw new Stop(`the power of ${on} was cut in the middle of a step`);
}

/** Users write, and both watches look. */
export function second(world: World): void {
  write(world, false);
  for (const host of hosts) tick(world, world.machines[host]);
}

/** Run `up`. Undefined when it came to its end; else why it did not. */
export function up(world: World, order: Up): string | undefined {
  const run = runOf(world, order);
  run.stalls = order.stalls === true;
  const left = stepsOf(order).filter(({ name }) => !run.ended.includes(name));
  try {
    for (const [index, step] of left.entries()) {
      if (index === order.steps && order.acts === undefined) throw new Stop("up was killed");
      perform(world, run, step, order, index === order.steps ? order.acts : undefined);
      run.ended.push(step.name);
      if (order.slow) second(world);
    }
  } catch (error) {
    if (error instanceof Stop) return error.message;
    throw error;
  }
  // What happened to a machine after its status was written is the check's to find, where it is yet to come.
  if (left.some(({ name }) => name === "check")) requireLegalStatuses(world, order);
  return undefined;
}

// --- What happens to machines.

/** What is only in memory is gone. */
export function powerOff(machine: Machine): void {
  machine.server = "stopped";
  Object.assign(machine, { power: false, frozen: false, holds: false, started: false });
}

function shutDown(world: World, machine: Machine): void {
  if (!machine.power || machine.frozen) return;
  if (machine.server === "writer") replicate(world, peerOf(world, machine));
  powerOff(machine);
}

function write(world: World, lags: boolean): void {
  const machine = hosts.map((host) => world.machines[host]).find(serves);
  if (!machine) return;
  world.writes += 1;
  machine.log.push(world.writes);
  world.acknowledged.push(world.writes);
  if (!lags) replicate(world, peerOf(world, machine));
}

const faults: Readonly<Record<Fault, (world: World, machine: Machine) => void>> = {
  powerCut: (_, machine) => powerOff(machine),
  shutdown: shutDown,
  boot: (world, machine) => {
    machine.power = true;
    bothLook(world, machine);
  },
  cut: (_, machine) => (machine.cable = false),
  mend: (world, machine) => {
    machine.cable = true;
    bothLook(world, machine);
  },
  freeze: (_, machine) => (machine.frozen = machine.power),
  thaw: (world, machine) => {
    machine.frozen = false;
    bothLook(world, machine);
  },
  tick,
  promote: (world, machine) => {
    if (machine.power && !machine.frozen && machine.server === "standby") promote(machine);
    bothLook(world, machine);
  },
};

/** The window of one second, until the watches have asked each other, is documented. */
function bothLook(world: World, first: Machine): void {
  tick(world, first);
  tick(world, peerOf(world, first));
}

/** Let an event happen, and check what must always be so. */
export function happen(world: World, event: Event): void {
  if (event.type === "write") write(world, event.lags);
  else if (event.type === "up") up(world, event);
  else if (event.type === "spoil") world.machines[event.host].spoilt = event.record;
  else faults[event.type](world, world.machines[event.host]);
  requireInvariants(world);
}

// --- What must always be so.

function requireOneProduction(world: World): void {
  const all = hosts.filter((host) => serves(world.machines[host]));
  if (all.length > 1) throw new Error("two machines take users' writes");
}

/** Data that parted from production's is no standby's: nobody may read it as if it were. */
function requirePartedStopped(world: World): void {
  for (const host of hosts) {
    const { parted, server } = world.machines[host];
    if (parted && server === "standby") throw new Error(`${host} stepped down, and runs as a standby`);
  }
}

function requireNothingFell(world: World): void {
  for (const host of hosts) {
    const [machine, highest] = [world.machines[host], world.highest[host]];
    const [epoch, serving] = [epochOf(machine), machine.serving?.epoch ?? 0];
    if (epoch < highest.epoch) throw new Error(`${host} forgot epoch ${highest.epoch}: ${epoch}`);
    // What was written before a promotion that then was refused may be put back: nothing was accepted under it.
    if (serving < highest.wrote)
      throw new Error(`${host} served at epoch ${highest.wrote} and says ${serving}`);
    highest.epoch = epoch;
    if (machine.server === "writer" && machine.holds) highest.wrote = serving;
  }
}

function requireWrites(world: World): void {
  const { slayer, megadeth } = world.machines;
  const kept = new Set([slayer, megadeth].flatMap(({ log, setAside }) => [...log, ...setAside]));
  const gone = world.acknowledged.filter((written) => !kept.has(written));
  if (gone.length > 0) throw new Error(`write ${gone.join()} was destroyed`);
  const production = [slayer, megadeth].find(serves);
  if (!production) return;
  const has = new Set(production.log);
  const lost = world.acknowledged.filter((written) => !has.has(written) && !world.excused.has(written));
  if (lost.length > 0 && !world.blind)
    throw new Error(`write ${lost.join()} is missing from ${production.name}`);
}

function requireLegalStatuses(world: World, goal: Goal): void {
  const words = wordsOf(goal);
  for (const host of goal.lost ? [goal.production] : hosts)
    if (world.machines[host].status !== words[host])
      throw new Error(`${host} says ${String(world.machines[host].status)}, not ${String(words[host])}`);
}

/** @throws with what is wrong. */
export function requireInvariants(world: World): void {
  requireOneProduction(world);
  requirePartedStopped(world);
  requireNothingFell(world);
  requireWrites(world);
}

// --- The worlds to begin with.

function machineOf(name: Host, server: "standby" | "writer"): Machine {
  return {
    name,
    power: true,
    cable: true,
    frozen: false,
    server,
    signal: server === "standby",
    serving: null,
    before: null,
    alone: 0,
    down: null,
    parted: false,
    seen: 0,
    claim: null,
    done: null,
    fence: null,
    forkedAt: null,
    expired: [],
    holds: false,
    started: true,
    rewinding: false,
    status: null,
    spoilt: null,
    log: [],
    setAside: [],
  };
}

/** A pair that was just provisioned: the primary writes, nobody holds the address. */
function provisioned(): World {
  const highest = (): { epoch: number; wrote: number } => ({ epoch: 0, wrote: 0 });
  return {
    machines: { slayer: machineOf("slayer", "writer"), megadeth: machineOf("megadeth", "standby") },
    run: null,
    runs: 0,
    writes: 0,
    acknowledged: [],
    excused: new Set(),
    blind: false,
    highest: { slayer: highest(), megadeth: highest() },
  };
}

/** A pair that `up` brought into one of the legal pairs of statuses, with some writes in it. */
export function worldOf(production: Host, lost: boolean): World {
  const world = provisioned();
  happen(world, { type: "up", production: "slayer", lost: false });
  happen(world, { type: "write", lags: false });
  if (lost) happen(world, { type: "powerCut", host: otherOf(production) });
  const failed = up(world, { type: "up", production, lost, fence: true });
  if (failed !== undefined) throw new Error(failed);
  happen(world, { type: "write", lags: false });
  return world;
}

// --- The way back.

/** How a pair came back: by the watches and `up` alone, or by a section of the runbook. */
export type Way = "up" | "no server accepts writes" | "without the other";

function isWell(world: World, production: Host): boolean {
  const [serving, standby] = [world.machines[production], world.machines[otherOf(production)]];
  const words = wordsOf({ production, lost: false });
  return (
    hosts.every((host) => world.machines[host].status === words[host]) &&
    serves(serving) &&
    streams(world, standby) &&
    standby.log.length === serving.log.length &&
    world.run?.lost === false
  );
}

/** `up` again, and with `--replace` where a refusal says so. Undefined when all is well. */
function upUntilWell(world: World, production: Host): string | undefined {
  const order: Up = { type: "up", production, lost: false, slow: true };
  const first = up(world, order);
  if (isWell(world, production)) return undefined;
  let then = up(world, { ...order, fresh: true });
  requireInvariants(world);
  // A person pastes the line that the refusal prints.
  if (then?.includes("lacks the last")) then = up(world, { ...order, fresh: true, acceptLoss: true });
  requireInvariants(world);
  return isWell(world, production) ? undefined : (then ?? first ?? "up ended, and the pair is not well");
}

function bothBack(world: World): void {
  for (const host of hosts) Object.assign(world.machines[host], { power: true, cable: true, frozen: false });
  // Three seconds, and the first is the documented window: nobody has told users anything yet.
  for (let times = 0; times < 3; times += 1) {
    for (const host of hosts) tick(world, world.machines[host]);
    requireInvariants(world);
  }
  // A person makes room only then.
  for (const host of hosts) world.machines[host].spoilt = null;
}

/** The runbook's "no server accepts writes": start it by hand where it was production last. */
function startByHand(world: World): void {
  const [one, two] = hosts.map((host) => world.machines[host]) as [Machine, Machine];
  const last = (one.serving?.epoch ?? 0) > (two.serving?.epoch ?? 0) ? one : two;
  if (last.rewinding) return;
  last.parted = false;
  start(last);
}

function withoutTheOther(world: World, production: Host): string | undefined {
  powerOff(world.machines[otherOf(production)]);
  const order: Up = { type: "up", production, lost: true, fence: true, acceptLoss: true, fresh: true };
  const failed = up(world, order);
  if (failed !== undefined) return failed;
  bothBack(world);
  return upUntilWell(world, production);
}

/**
 * Mend all, let the watches look, and run `up`; by the runbook where that is refused. Which way it took.
 * @throws when no way leads back to a pair in its order.
 */
export function wayBack(world: World, first: Host): Way {
  bothBack(world);
  const serving = hosts.find((host) => serves(world.machines[host]));
  const goals = serving ? [serving] : [first, otherOf(first)];
  const refused: string[] = [];
  const tries: [Way, (goal: Host) => string | undefined][] = [
    ["up", (goal) => upUntilWell(world, goal)],
    ["no server accepts writes", (goal) => (startByHand(world), upUntilWell(world, goal))],
    ["without the other", (goal) => withoutTheOther(world, goal)],
  ];
  for (const [way, attempt] of tries)
    for (const goal of goals) {
      const why = attempt(goal);
      requireInvariants(world);
      if (why === undefined) return way;
      refused.push(`${way}, ${goal}: ${why}`);
    }
  throw new Error(`no way back:\n${refused.join("\n")}`);
}

/** A standby that was promoted by hand within this second: no watch has looked yet. */
export function handPromoted(world: World, host: Host): World {
  promote(world.machines[host]);
  return world;
}
