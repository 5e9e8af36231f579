import { parseArgs } from "node:util";

/** How many rounds a bench was asked for, 3 when it was not; who wants help gets it, and nothing is run. */
export function roundsOf(help: string): number {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { help: { type: "boolean" } },
  });
  if (values.help) {
    console.log(help);
    process.exit();
  }
  return Number(positionals[0] ?? 3);
}

/** Median, range and raw figures, in seconds. */
export function line(what: string, values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[0] ?? 0, sorted.at(-1) ?? 0];
  const raw = values.map((value) => value.toFixed(2)).join(" ");
  return `${what.padEnd(28)} median ${median(values).toFixed(2)} s, ${low.toFixed(2)} to ${high.toFixed(2)}   (${raw})`;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? 0)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
