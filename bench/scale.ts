import { readFileSync } from "node:fs";
import { Bench } from "../test/support/engine.ts";
import { childrenOf, processes } from "../test/support/processes.ts";

const help = `Time and memory of a preview, and of an update with nothing to do, at 100 hosts x 3 steps.

Usage: node bench/scale.ts [HOSTS] [RUNS]

All hosts are one sshd on loopback. Memory is the sum of the CLI, the program and the plugins, sampled every 100 ms.`;

interface Figures {
  readonly seconds: number;
  readonly peakMiB: number;
}

/** Resident memory of a process, in MiB; 0 when it has ended. */
function resident(pid: number): number {
  try {
    const pages = Number(readFileSync(`/proc/${String(pid)}/statm`, "utf8").split(" ")[1]);
    return (pages * 4096) / 1024 / 1024;
  } catch {
    return 0;
  }
}

async function measured(bench: Bench, args: readonly string[]): Promise<Figures> {
  const started = performance.now();
  const { child, run } = bench.project.start(args, 900);
  let peakMiB = 0;
  const sampler = setInterval(() => {
    const pids = [child.pid ?? 0, ...childrenOf(child.pid ?? 0).map(({ pid }) => pid)];
    peakMiB = Math.max(
      peakMiB,
      pids.reduce((sum, pid) => sum + resident(pid), 0),
    );
  }, 100);
  const { code, output } = await run;
  clearInterval(sampler);
  if (code !== 0) throw new Error(output);
  return { seconds: (performance.now() - started) / 1000, peakMiB };
}

function report(what: string, figures: readonly Figures[]): void {
  const sorted = figures.map(({ seconds }) => seconds).sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const peak = Math.max(...figures.map(({ peakMiB }) => peakMiB));
  const raw = sorted.map((seconds) => seconds.toFixed(2)).join(" ");
  console.log(`${what.padEnd(24)} median ${median.toFixed(2)} s  peak ${peak.toFixed(0)} MiB  (${raw})`);
}

async function main(hosts: number, runs: number): Promise<void> {
  const names = Array.from({ length: hosts }, (_, index) => `host${String(index).padStart(3, "0")}`);
  const rows = ["one", "two", "three"].map((phase) => ({ phase, on: "each" }));
  const bench = await Bench.start(["host"], { transitions: { roll: { rows, goal: { release: "1" } } } });
  try {
    const { ssh, root } = bench.now.hosts.host ?? { root: "" };
    if (!ssh) throw new Error("the host did not start");
    bench.set({ hosts: Object.fromEntries(names.map((name) => [name, { ssh, root, identity: name }])) });
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
