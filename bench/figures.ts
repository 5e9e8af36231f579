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
