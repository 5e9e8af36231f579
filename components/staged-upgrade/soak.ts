import { tailOf } from "../../transition/receipt.ts";

/** A version that ran on a stack with all checks passed: from when, and until the next one came. */
export interface Ran {
  readonly version: string;
  readonly since: string;
  readonly until?: string;
}

/** What a stack says of one staged upgrade. */
export interface UpgradeOutput {
  /** Oldest first; the last one runs. */
  readonly ran: readonly Ran[];
}

/** The outputs of a stack, as far as they tell what ran there. */
export function ranIn(outputs: unknown, name: string): readonly Ran[] {
  const { upgrades } = (outputs ?? {}) as { upgrades?: Record<string, Partial<UpgradeOutput>> };
  return upgrades?.[name]?.ran ?? [];
}

/** Since when a version is green, from the receipt of `scripts/upgrade/green.sh`; undefined when it does not say so. */
export function greenOf(receipt: string): Ran | undefined {
  const { version, since } = tailOf(receipt);
  return version === undefined || since === undefined ? undefined : { version, since };
}

/**
 * What ran, with what runs now. The same version again, after another, is an entry of its own; after an upgrade that did not
 * end its time begins anew, since nobody knows until when it ran.
 */
export function withGreen(before: readonly Ran[], now: Ran | undefined): readonly Ran[] {
  const last = before.at(-1);
  if (!now) return before;
  if (last?.version === now.version && last.until === undefined)
    return last.since === now.since ? before : [...before.slice(0, -1), now];
  return [...before.slice(0, -1), ...(last ? [{ ...last, until: last.until ?? now.since }] : []), now];
}

const day = 24 * 3600 * 1000;

/** What decides whether a stack may have a version. */
export interface Soak {
  readonly stack: string;
  readonly days: number;
  readonly override?: string;
}

/**
 * Why a version is not allowed here yet, with the dates (rows 000-002 to 000-004, 000-088); undefined: it is.
 *
 * @param there what ran on the stack that comes first. @param here what runs on this one: it needs no proof again.
 */
export function soaking(
  version: string,
  soak: Soak,
  { there, here, now }: { there: readonly Ran[]; here: readonly Ran[]; now: Date },
): string | undefined {
  if (soak.override !== undefined || here.some((one) => one.version === version)) return undefined;
  const runs = there.filter((one) => one.version === version);
  if (runs.length === 0) {
    const known = there.map((one) => `${one.version} since ${one.since.slice(0, 10)}`);
    return `${version} has not run on ${soak.stack}${known.length > 0 ? ` (it ran ${known.join(", ")})` : ""}; let it run there for ${String(soak.days)} days first`;
  }
  const longest = runs
    .map(({ since, until }) => ({
      since,
      until,
      days: ((until === undefined ? now.getTime() : Date.parse(until)) - Date.parse(since)) / day,
    }))
    .reduce((most, one) => (one.days > most.days ? one : most));
  if (longest.days >= soak.days) return undefined;
  const ready = new Date(Date.parse(longest.since) + soak.days * day).toISOString().slice(0, 16);
  const still = longest.until === undefined;
  return `${version} runs green on ${soak.stack} since ${longest.since}${still ? "" : ` until ${longest.until ?? ""}`}, ${longest.days.toFixed(1)} of ${String(soak.days)} days; ${still ? `allowed from ${ready}Z on` : "let it run there again"}, or now with soak.override: "${version}: why"`;
}
