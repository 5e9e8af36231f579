import { readFileSync } from "node:fs";
import { clocksOf, type Decision, type Look } from "../decide.ts";
import type { PreflightOrder } from "../preflight.ts";
import { receiptLine, running } from "../receipt.ts";
import { lookAt, type LookAt } from "./probe.ts";

type Order = PreflightOrder & { readonly looks: readonly LookAt[] };
/** The file of a system that decides. */
interface Deciding {
  readonly deciders: Readonly<Record<string, (looks: readonly Look<never>[], wanted: unknown) => Decision>>;
}

const order = JSON.parse(readFileSync(0, "utf8")) as Order;
const ran = running();
// Of all systems only what decides this look is loaded.
const { deciders } = (await import(order.in)) as Deciding;
const decide = deciders[order.kind];
if (!decide) throw new Error(`${order.in} has no decider ${order.kind}`);
const looks = await Promise.all(order.looks.map((look) => lookAt<never>(look)));
const decision = decide(looks, order.wanted);
for (const note of decision.notes) console.error(note);
if (decision.refusals.length > 0) {
  console.error(`refused, nothing was touched; ${String(decision.refusals.length)} reason(s):`);
  for (const refusal of decision.refusals) console.error(`  ${refusal}`);
  process.exitCode = 77;
} else {
  const { component, transition } = order.wanted as { component: string; transition: string };
  const epoch = String(decision.epoch);
  const prose = [`${component} may go on with its ${transition}`, ...decision.notes].join("; ");
  const said = { epoch, ...clocksOf(looks), ...decision.tail };
  console.log(receiptLine(`${prose}, epoch ${epoch}`, ran(), said));
}
