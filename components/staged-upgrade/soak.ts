import { tailOf } from "../../transition/receipt.ts";

/** A version that ran on a stack with all checks passed, and from when until when. */
export interface Ran {
  readonly version: string;
  readonly since: string;
  readonly until?: string;
}

/** One staged upgrade in the outputs of a stack. */
export interface UpgradeOutput {
  /** Oldest first; the last version is the running one. */
  readonly ran: readonly Ran[];
}

/** The versions that ran on a stack, from its outputs. */
export function ranIn(outputs: unknown, name: string): readonly Ran[] {
  const { upgrades } = (outputs ?? {}) as { upgrades?: Record<string, Partial<UpgradeOutput>> };
  return upgrades?.[name]?.ran ?? [];
}

/** The green version, from the receipt of `scripts/upgrade/record-green.sh`; undefined without one. */
export function greenOf(receipt: string): Ran | undefined {
  const { version, since } = tailOf(receipt);
  return version === undefined || since === undefined ? undefined : { version, since };
}

/**
 * The versions that ran, with the one that runs now. A version that returns after another one gets a new entry. After an
 * interrupted upgrade its time starts again, since the end of its first run is unknown.
 */
export function withGreen(before: readonly Ran[], now: Ran | undefined): readonly Ran[] {
  const last = before.at(-1);
  if (!now) return before;
  if (last?.version === now.version && last.until === undefined)
    return last.since === now.since ? before : [...before.slice(0, -1), now];
  return [...before.slice(0, -1), ...(last ? [{ ...last, until: last.until ?? now.since }] : []), now];
}

const day = 24 * 3600 * 1000;

/** Which stack must run a version first, and for how long. */
export interface Soak {
  readonly stack: string;
  readonly days: number;
  readonly override?: string;
}

/**
 * Why a version is not allowed here yet, with dates; undefined: it is allowed.
 *
 * @param there what ran on the first stack. @param here what ran on this stack: it needs no second proof.
 */
export function soaking(
  version: string,
  soak: Soak,
  { there, here, now }: { there: readonly Ran[]; here: readonly Ran[]; now: Date },
): string | undefined {
  if (soak.override !== undefined || here.some((ran) => ran.version === version)) return undefined;
  const runs = there.filter((ran) => ran.version === version);
  if (runs.length === 0) {
    const known = there.map((ran) => `${ran.version} since ${ran.since.slice(0, 10)}`);
    return `${version} has not run on ${soak.stack}${known.length > 0 ? ` (that stack ran ${known.join(", ")})` : ""}; run it there for ${String(soak.days)} days first`;
  }
  const longest = runs
    .map(({ since, until }) => ({
      since,
      until,
      days: ((until === undefined ? now.getTime() : Date.parse(until)) - Date.parse(since)) / day,
    }))
    .reduce((most, run) => (run.days > most.days ? run : most));
  if (longest.days >= soak.days) return undefined;
  const ready = new Date(Date.parse(longest.since) + soak.days * day).toISOString().slice(0, 16);
  const [time, cure] =
    longest.until === undefined
      ? [`has passed all checks on ${soak.stack} since ${longest.since}`, `allowed from ${ready}Z`]
      : [
          `passed all checks on ${soak.stack} from ${longest.since} until ${longest.until}`,
          "run it there again",
        ];
  return `${version} ${time}: ${longest.days.toFixed(1)} days (required: ${String(soak.days)}); ${cure}, or now with soak.override: "${version}: why"`;
}
