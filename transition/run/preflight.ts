import { readFileSync } from "node:fs";
import type { Decision, Look } from "../decide.ts";
import { type PreflightOrder, deciders } from "../../components/deciders.ts";
import { receiptLine } from "../receipt.ts";
import { lookAt, type LookAt } from "./probe.ts";

type Order = PreflightOrder & { readonly looks: readonly LookAt[] };

const order = JSON.parse(readFileSync(0, "utf8")) as Order;
const started = Date.now();
// Who ordered a look knows what it is about: the table of deciders has one entry a kind.
const decide = deciders[order.kind] as (looks: readonly Look<never>[], wanted: unknown) => Decision;
const decision = decide(await Promise.all(order.looks.map((look) => lookAt<never>(look))), order.wanted);
for (const note of decision.notes) console.error(note);
if (decision.refusals.length > 0) {
  console.error(`refused, nothing was touched; ${String(decision.refusals.length)} reason(s):`);
  for (const refusal of decision.refusals) console.error(`  ${refusal}`);
  process.exitCode = 77;
} else {
  const { component, transition } = order.wanted;
  const epoch = String(decision.epoch);
  const prose = [`${component} may go on with its ${transition}`, ...decision.notes].join("; ");
  const seconds = (Date.now() - started) / 1000;
  console.log(receiptLine(`${prose}, epoch ${epoch}`, seconds, { epoch, ...decision.tail }));
}
