import { setTimeout as pause } from "node:timers/promises";
import { powerCut } from "../tools/workshop/lab/lab.ts";
import { Writer } from "../tools/workshop/writer.ts";
import { Estate } from "../test/support/estate.ts";
import { line } from "./figures.ts";

const help = `Production loses its power: how long until users write again, from the operator's order.

Usage: node bench/emergency.ts [TIMES]     (default 5)

A client writes 50 times a second through the service address. The power of production is cut (no last packet leaves
it); three seconds later the operator's \`pulumi up\` names the other machine. Printed in seconds: from the start of
\`up\` to the first acknowledged write, the whole command, and the return of the dead machine as a standby; then
acknowledged writes that the survivor does not have (they were not replicated when the power went).`;

interface Lost {
  readonly writes: number;
  readonly command: number;
  readonly back: number;
  readonly missing: number;
}

const seconds = (since: number): number => (performance.now() - since) / 1000;

async function up(estate: Estate): Promise<void> {
  const { code, output } = await estate.up();
  if (code !== 0) throw new Error(output);
}

/** Until a write is acknowledged that was sent after this call. */
async function firstWrite(writer: Writer): Promise<void> {
  const mark = writer.mark();
  while (writer.since(mark).acknowledged === 0) await pause(5);
}

async function once(estate: Estate, writer: Writer, from: string, to: string): Promise<Lost> {
  await powerCut(estate.lab, from);
  await pause(3000);
  estate.without(from);
  estate.flip(to);
  const started = performance.now();
  const ordered = up(estate);
  await firstWrite(writer);
  const writes = seconds(started);
  await ordered;
  const command = seconds(started);
  const missing = (await writer.lost()).length;
  await estate.boot(from);
  estate.without();
  const returned = performance.now();
  await up(estate);
  return { writes, command, back: seconds(returned), missing };
}

async function main(times: number): Promise<void> {
  const estate = await Estate.start();
  estate.fences = true;
  estate.write();
  try {
    await up(estate);
    const runs: Lost[] = [];
    let [from, to] = ["slayer", "megadeth"];
    for (let round = 0; round < times; round++) {
      // One a round: what is missing after one emergency is missing after the next as well.
      const writer = new Writer(await estate.database());
      await writer.start();
      runs.push(await once(estate, writer, from, to));
      await writer.stop();
      [from, to] = [to, from];
    }
    console.log(
      line(
        "order to first write",
        runs.map(({ writes }) => writes),
      ),
    );
    console.log(
      line(
        "whole command",
        runs.map(({ command }) => command),
      ),
    );
    console.log(
      line(
        "return of the dead one",
        runs.map(({ back }) => back),
      ),
    );
    console.log(
      `acknowledged and not replicated when the power went: ${runs.map(({ missing }) => missing).join(" ")}`,
    );
  } finally {
    await estate.stop();
  }
}

if (process.argv.includes("--help")) console.log(help);
else await main(Number(process.argv[2] ?? 5));
