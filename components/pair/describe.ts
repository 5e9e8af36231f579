import { mib, type PairFacts } from "./facts.ts";
import type { VerifiedFacts } from "./verify.ts";

/** The state of a machine of a pair, in one line for the operator. @param elapsed seconds since it answered. */
export function describeMachine(facts: PairFacts, elapsed = 0): string {
  const { status } = facts as VerifiedFacts;
  const { streaming, last_commit_s: age } = facts;
  const server =
    facts.postgres !== "running"
      ? `PostgreSQL is ${facts.postgres}`
      : facts.in_recovery
        ? "PostgreSQL is read-only"
        : "PostgreSQL accepts writes";
  const words = [
    status ?? "no status",
    server,
    ...(facts.holds_address ? ["holds the service address"] : []),
    ...(streaming ? [`streams, ${((streaming.lag_bytes ?? 0) / mib).toFixed(1)} MiB behind`] : []),
    ...(facts.replay ? [facts.replay.why] : []),
    ...(facts.unusable ? [facts.unusable] : []),
    ...(facts.stands_still ? ["paused until its next copy"] : []),
    ...Object.entries(facts.copies).map(
      ([name, copy]) => `${name} copied ${(copy.age_s + elapsed).toFixed(0)} s ago`,
    ),
    ...(facts.in_recovery && age !== null ? [`last transaction ${(age + elapsed).toFixed(1)} s ago`] : []),
    ...(facts.down === null ? [] : [`down: ${facts.down}`]),
    `epoch ${String(facts.epoch)}`,
  ];
  return words.join(", ");
}
