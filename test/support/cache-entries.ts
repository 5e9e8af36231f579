import { expect } from "vitest";
import type { Entry } from "./memcached.ts";

const day = 24 * 3600;

/** Lives of entries, around the limit above which memcached takes a number for a point in time (30 days). */
export const lives = [60, 3600, 7 * day, 30 * day - 1, 30 * day, 30 * day + 1, 45 * day, 400 * day, -1];

/** Entries of all kinds: lives, flags, sizes from nothing up, keys up to 250 bytes, some not ASCII. */
export const entriesOf = (count: number, bytes = 100): Entry[] =>
  Array.from({ length: count }, (_, n) => ({
    key: [`session:${String(n)}`, `sitzung-ü:${String(n)}`, `${String(n)}-`.padEnd(250, "k")][n % 3] ?? "",
    value: `value ${String(n)} `.repeat(n % 7 === 6 ? 0 : Math.ceil(bytes / 10)),
    flags: (n * 65_537) % 2 ** 32,
    seconds: lives[n % lives.length] ?? -1,
  }));

/** Everything is found as it was stored, and lives as long as it was to. @param late seconds that have passed at most */
export function allFound(found: ReadonlyMap<string, Entry>, stored: readonly Entry[], late = 10): void {
  const missing = stored.filter(({ key }) => !found.has(key));
  const wrong = stored.filter((entry) => {
    const now = found.get(entry.key);
    if (!now) return false;
    const lived = entry.seconds < 0 ? now.seconds === -1 : Math.abs(entry.seconds - now.seconds) <= late;
    return now.value !== entry.value || now.flags !== entry.flags || !lived;
  });
  expect({
    missing: missing.length,
    lives: [...new Set(missing.map(({ seconds }) => seconds))],
    wrong: wrong.map(({ key, seconds, flags }) => ({ key, seconds, flags, now: found.get(key) })).slice(0, 3),
  }).toEqual({ missing: 0, lives: [], wrong: [] });
}
