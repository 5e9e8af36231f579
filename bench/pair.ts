import { boot } from "../tools/workshop/lab/lab.ts";
import { Estate } from "../test/support/estate.ts";
import { line, median } from "./figures.ts";
import { Changeover } from "./pair/changeover.ts";
import { Keepalived } from "./pair/keepalived.ts";
import { type Killed, killed, planned, type Switched } from "./pair/measure.ts";
import { packages, Patroni } from "./pair/patroni.ts";
import { Repmgr } from "./pair/repmgr.ts";
import { names, other, stopAll, type Tool } from "./pair/tool.ts";

const help = `A planned switch and the death of production: this program beside repmgr, keepalived with repmgr, and Patroni with
etcd (all Debian's), on the same two local hosts in the same run.

Usage: node bench/pair.ts [ROUNDS] [TOOL…]     (default 5, and all; a tool by the first word of its name)

Each round takes each tool in turn, with the others stopped: a switch there, a switch back, then the power of production
is cut (no last packet leaves it) and given back. A client writes 50 times a second through the service address of each.
Printed in seconds, with median, range and raw figures: the longest time between two acknowledged writes; the command of
a planned switch. Where a person must order the take-over, the time counts from the order; where none must, it counts
from the last write and holds the tool's own detection. Then acknowledged writes that are lost, and what the dead
machine did in its first 20 s after its boot, before anybody ordered anything.`;

const extra = ["repmgr", "postgresql-15-repmgr", "keepalived", ...packages];

/** A tool in this run: what was measured, and who is its production. */
interface Entry {
  readonly tool: Tool;
  readonly switches: Switched[];
  readonly kills: Killed[];
  production: string;
  failure?: string;
}

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** One tool's failure is its own: the hosts are put right, and the others go on without it. */
async function guarded(estate: Estate, entry: Entry, act: () => Promise<void>): Promise<void> {
  if (entry.failure !== undefined) return;
  try {
    await act();
  } catch (error) {
    entry.failure = message(error);
    console.log(`${entry.tool.name} FAILED: ${entry.failure}`);
    for (const name of names) await boot(estate.lab, name);
    await entry.tool
      .park(other(entry.production), entry.production)
      .catch((again: unknown) => console.log(`${entry.tool.name} does not stop: ${message(again)}`));
  }
}

async function prepare(estate: Estate, entry: Entry): Promise<void> {
  await guarded(estate, entry, async () => {
    await entry.tool.prepare();
    await entry.tool.park(other(entry.production), entry.production);
  });
}

async function round(estate: Estate, entry: Entry): Promise<void> {
  await guarded(estate, entry, async () => {
    const { tool, switches, kills } = entry;
    await tool.unpark(other(entry.production), entry.production);
    for (let switched = 0; switched < 2; switched++) {
      switches.push(await planned(estate, tool, other(entry.production)));
      entry.production = other(entry.production);
    }
    kills.push(await killed(estate, tool, entry.production));
    entry.production = other(entry.production);
    await tool.park(other(entry.production), entry.production);
    const shown = [...switches.slice(-2), ...kills.slice(-1)].map(({ outage }) => outage.toFixed(2));
    console.log(`${tool.name}: switch ${shown.slice(0, 2).join(" and ")} s, kill ${shown[2] ?? ""} s`);
  });
}

const count = (runs: readonly boolean[]): string => `${runs.filter(Boolean).length} of ${runs.length}`;

function table(title: string, entries: readonly Entry[], of: (entry: Entry) => readonly number[]): void {
  if (entries.length === 0) return;
  console.log(`\n${title}`);
  for (const entry of entries) {
    const values = of(entry);
    console.log(values.length > 0 ? line(entry.tool.name, values) : `${entry.tool.name.padEnd(28)} none`);
  }
}

function report(entries: readonly Entry[]): void {
  table("planned switch, write outage", entries, ({ switches }) => switches.map(({ outage }) => outage));
  table("planned switch, whole command", entries, ({ switches }) => switches.map(({ command }) => command));
  const ordered = entries.filter(({ tool }) => tool.takeOver);
  const unattended = entries.filter(({ tool }) => !tool.takeOver);
  const outages = ({ kills }: Entry) => kills.map(({ outage }) => outage);
  table("power of production cut, a person orders: from the order to the first write", ordered, outages);
  table("power of production cut, nobody orders: write outage, detection included", unattended, outages);
  console.log("\nacknowledged writes lost (replication is asynchronous)");
  for (const { tool, switches, kills } of entries) {
    const lost = (runs: readonly { lost: number }[]) => runs.map((run) => run.lost).join(" ");
    console.log(`${tool.name.padEnd(28)} switches: ${lost(switches)}   kills: ${lost(kills)}`);
  }
  console.log("\nthe dead machine, back and without any order, in its first 20 s");
  for (const { tool, kills } of entries) {
    const returned = kills.map((kill) => kill.returned);
    console.log(
      `${tool.name.padEnd(28)} took writes: ${count(returned.map((one) => one.tookWrites))}, ` +
        `held the address too: ${count(returned.map((one) => one.heldAddress))}, ` +
        `followed: ${count(returned.map((one) => one.followed))}`,
    );
  }
  notes(entries);
}

function notes(entries: readonly Entry[]): void {
  console.log(`
The two kinds of kill are no ranking. A person's time to notice and to decide comes on top of the first; the second acts
on silence, also where the other machine lives and is only unheard.
Before the take-over changeover has the dead machine's power cut once more, and asks for it over every path. The others
fence nothing here: repmgr and keepalived have no means, and Patroni's watchdog has no device on these hosts.
The address is moved by repmgr's event on promotion, by keepalived itself, by Patroni's callback on a new role.
A dead machine that took writes was a second server that accepts them, at its own address only unless it held the other.`);
  for (const { tool, failure } of entries)
    if (failure !== undefined) console.log(`${tool.name} FAILED: ${failure}`);
  const [mine, ...rest] = entries.map(({ tool, switches }) => ({
    name: tool.name,
    outage: median(switches.map(({ outage }) => outage)),
  }));
  for (const { name, outage } of rest)
    if (mine && outage > 0)
      console.log(`planned outage, ${mine.name} to ${name}: ${(mine.outage / outage).toFixed(2)}`);
}

async function main(rounds: number, wanted: readonly string[]): Promise<void> {
  const estate = await Estate.start(names, extra);
  try {
    await stopAll(estate);
    const tools = [
      new Changeover(estate),
      new Repmgr(estate),
      new Keepalived(estate),
      new Patroni(estate, extra),
    ];
    const entries = tools
      .filter(({ name }) => wanted.length === 0 || wanted.includes(name.split(" ")[0] ?? ""))
      .map((tool): Entry => ({ tool, switches: [], kills: [], production: names[0] }));
    for (const entry of entries) await prepare(estate, entry);
    for (let at = 0; at < rounds; at++) for (const entry of entries) await round(estate, entry);
    report(entries);
    process.exitCode = entries.some(({ failure }) => failure !== undefined) ? 1 : 0;
  } finally {
    await estate.stop();
  }
}

if (process.argv.includes("--help")) console.log(help);
else await main(Number(process.argv[2] ?? 5), process.argv.slice(3));
