import { readFileSync } from "node:fs";
import { Bench } from "../test/support/engine.ts";
import { ensureCommands, sshCommands } from "../tools/workshop/setup/debian.ts";
import { childrenOf, processes } from "../test/support/processes.ts";

const help = `Time and memory of a preview, and of an update with nothing to do, at 100 hosts x 3 steps.

Usage: node bench/scale.ts [HOSTS] [RUNS]

Each host is an sshd of its own on loopback. Memory is that of the CLI, the program and the plugins (proportional set size),
sampled every 200 ms.`;

/** What the memory is of, by the command line of its process; the first that fits counts. */
const kinds: readonly (readonly [string, RegExp])[] = [
  ["plugins", /pulumi-(resource|language)-|stand-ins/],
  ["program", /\bnode\b/],
  ["CLI", /./],
];

type Memory = Readonly<Record<string, number>>;

interface Figures {
  readonly seconds: number;
  /** MB of each kind at the moment when the sum was highest. */
  readonly peak: Memory;
}

const sum = (memory: Memory): number => Object.values(memory).reduce((all, one) => all + one, 0);

/** Memory of a process in MB, its part of what it shares with others; 0 when it has ended. */
function memoryOf(pid: number): number {
  try {
    const rollup = readFileSync(`/proc/${String(pid)}/smaps_rollup`, "utf8");
    return Number(/^Pss: +(\d+) kB/m.exec(rollup)?.[1] ?? 0) * 1.024e-3;
  } catch {
    return 0;
  }
}

function memoryUnder(pid: number): Memory {
  const memory: Record<string, number> = {};
  for (const one of [{ pid, command: "pulumi" }, ...childrenOf(pid)]) {
    const [kind] = kinds.find(([, pattern]) => pattern.test(one.command)) ?? ["CLI"];
    memory[kind] = (memory[kind] ?? 0) + memoryOf(one.pid);
  }
  return memory;
}

async function measured(bench: Bench, args: readonly string[]): Promise<Figures> {
  const started = performance.now();
  const { child, run } = bench.project.start(args, 900);
  let peak: Memory = {};
  const sampler = setInterval(() => {
    const now = memoryUnder(child.pid ?? 0);
    if (sum(now) > sum(peak)) peak = now;
  }, 200);
  const { code, output } = await run;
  clearInterval(sampler);
  if (code !== 0) throw new Error(output);
  return { seconds: (performance.now() - started) / 1000, peak };
}

function report(what: string, figures: readonly Figures[]): void {
  const sorted = figures.map(({ seconds }) => seconds).sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const peak = figures.map((one) => one.peak).reduce((a, b) => (sum(a) > sum(b) ? a : b));
  const parts = Object.entries(peak).map(([kind, mb]) => `${kind} ${mb.toFixed(0)}`);
  const raw = sorted.map((seconds) => seconds.toFixed(2)).join(" ");
  console.log(
    `${what.padEnd(24)} median ${median.toFixed(2)} s (${raw})  peak ${sum(peak).toFixed(0)} MB: ${parts.join(", ")}`,
  );
}

async function main(hosts: number, runs: number): Promise<void> {
  const names = Array.from({ length: hosts }, (_, index) => `host${String(index).padStart(3, "0")}`);
  const rows = ["one", "two", "three"].map((phase) => ({ phase, on: "each" }));
  await ensureCommands(sshCommands, "hosts on loopback");
  const bench = await Bench.start(names, { transitions: { roll: { rows, goal: { release: "1" } } } });
  try {
    console.log(
      `${String(hosts)} hosts x 3 steps, ${String(runs)} run(s) each, ${String(processes().length)} processes beside`,
    );
    const previews: Figures[] = [];
    for (let run = 0; run < runs; run++) previews.push(await measured(bench, ["preview"]));
    report("preview, all new", previews);
    report("first update", [await measured(bench, ["up", "--yes", "--skip-preview"])]);
    const settled: Figures[] = [];
    for (let run = 0; run < runs; run++)
      settled.push(await measured(bench, ["up", "--yes", "--skip-preview"]));
    report("update, nothing to do", settled);
  } finally {
    await bench.stop();
  }
}

if (process.argv.includes("--help")) console.log(help);
else await main(Number(process.argv[2] ?? 100), Number(process.argv[3] ?? 3));
