import { setTimeout as pause } from "node:timers/promises";
import { boot, powerCut } from "../../tools/workshop/lab/lab.ts";
import { Writer } from "../../tools/workshop/writer.ts";
import type { Estate } from "../../test/support/estate.ts";
import { AddressWatch, WriteWatch } from "../../test/support/watch.ts";
import { other, streams, type Tool, until } from "./tool.ts";

/** What users saw of a planned switch. Times are in seconds. */
export interface Switched {
  readonly outage: number;
  readonly command: number;
  readonly lost: number;
}

/** What users saw of production's death, and what the dead machine did when it was back. */
export interface Killed {
  /** From the order, where a person gives one; else from the last write before. */
  readonly outage: number;
  readonly lost: number;
  readonly returned: Returned;
}

export interface Returned {
  /** It took writes at its own address while the other machine was production. */
  readonly tookWrites: boolean;
  /** It answered for the service address while the other machine did. */
  readonly heldAddress: boolean;
  /** It was a standby again, and nobody had ordered anything. */
  readonly followed: boolean;
}

const settleMs = 1500;
const limitSeconds = 120;
const operatorMs = 3000;
const returnMs = 20_000;
const seconds = (since: number): number => (performance.now() - since) / 1000;

/** Until a write is acknowledged that was sent after this call. */
async function firstWrite(writer: Writer): Promise<void> {
  const mark = writer.mark();
  const end = mark + limitSeconds * 1000;
  while (writer.since(mark).acknowledged === 0) {
    if (performance.now() > end) throw new Error(`no write was acknowledged within ${limitSeconds} s`);
    await pause(5);
  }
}

/** Waits until the pair is whole: users write, and the standby streams. */
async function whole(estate: Estate, tool: Tool, production: string): Promise<void> {
  const { port } = await tool.target();
  await until(`the standby of ${tool.name} to stream`, limitSeconds, () => streams(estate, production, port));
}

async function writing<T>(tool: Tool, act: (writer: Writer) => Promise<T>): Promise<T> {
  const writer = new Writer(await tool.target());
  await until(`${tool.name} to answer`, 60, () =>
    writer.start().then(
      () => true,
      () => false,
    ),
  );
  try {
    await pause(settleMs);
    return await act(writer);
  } finally {
    await writer.stop();
  }
}

export async function planned(estate: Estate, tool: Tool, to: string): Promise<Switched> {
  await whole(estate, tool, other(to));
  const seen = await writing(tool, async (writer) => {
    const mark = writer.mark();
    await tool.switchTo(to);
    const command = seconds(mark);
    await firstWrite(writer);
    await pause(settleMs);
    return { outage: writer.since(mark).outageMs / 1000, command, lost: (await writer.lost()).length };
  });
  await whole(estate, tool, to);
  return seen;
}

/** Cuts the power of production, and gives it back once the other machine serves. */
export async function killed(estate: Estate, tool: Tool, from: string): Promise<Killed> {
  const to = other(from);
  await whole(estate, tool, from);
  const seen = await writing(tool, async (writer) => {
    const outage = await outageOf(estate, tool, writer, from);
    await pause(settleMs);
    const returned = await observed(estate, tool, from);
    return { outage, lost: (await writer.lost()).length, returned };
  });
  await tool.rejoin(from, to);
  await whole(estate, tool, to);
  return seen;
}

async function outageOf(estate: Estate, tool: Tool, writer: Writer, from: string): Promise<number> {
  const mark = writer.mark();
  await powerCut(estate.lab, from);
  if (!tool.takeOver) {
    await firstWrite(writer);
    return writer.since(mark).outageMs / 1000;
  }
  await pause(operatorMs);
  const ordered = performance.now();
  const [outage] = await Promise.all([
    firstWrite(writer).then(() => seconds(ordered)),
    tool.takeOver(from, other(from)),
  ]);
  return outage;
}

/** What the machine does that was dead, in its first seconds after the boot and without any order. */
async function observed(estate: Estate, tool: Tool, from: string): Promise<Returned> {
  const { password, ...target } = await tool.target(from);
  const writes = new WriteWatch({ [from]: { ...target, password } });
  const address = new AddressWatch(estate.lab, (await tool.target()).host);
  writes.start();
  await boot(estate.lab, from);
  await pause(returnMs);
  const followed = await streams(estate, other(from), target.port);
  await Promise.all([writes.stop(), address.stop()]);
  const holders = new Set(address.seen.map(({ who }) => who));
  return { tookWrites: writes.seen.length > 0, heldAddress: holders.size > 1, followed };
}
