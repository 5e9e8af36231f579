import type { Decision, Look } from "../decide.ts";
import type { PreflightOrder } from "../preflight.ts";
import type { LookAt } from "./probe.ts";

/** What a preflight is told: what is decided, and whom to look at. */
export type LookOrder = PreflightOrder & { readonly looks: readonly LookAt[] };

/** The file of a system that decides. */
interface Deciding {
  readonly deciders: Readonly<Record<string, (looks: readonly Look<never>[], wanted: unknown) => Decision>>;
}

/**
 * Look at all hosts of an order at once, and decide. Of all systems only what decides this order is loaded.
 *
 * @throws when the order names no decider.
 */
export async function decide(
  order: LookOrder,
  lookAt: (look: LookAt) => Promise<Look<never>>,
): Promise<{ readonly decision: Decision; readonly looks: readonly Look<never>[] }> {
  const { deciders } = (await import(order.in)) as Deciding;
  const decider = deciders[order.kind];
  if (!decider) throw new Error(`${order.in} has no decider ${order.kind}`);
  const looks = await Promise.all(order.looks.map(lookAt));
  return { decision: decider(looks, order.wanted), looks };
}
