import { readFileSync } from "node:fs";
import { receiptLine } from "../receipt.ts";
import { decide, type LookOrder } from "./order.ts";
import { lookAt } from "./probe.ts";

const order = JSON.parse(readFileSync(0, "utf8")) as LookOrder;
const started = Date.now();
const decision = await decide(order, (look) => lookAt<never>(look));
for (const note of decision.notes) console.error(note);
if (decision.refusals.length > 0) {
  console.error(`refused, nothing was touched; ${String(decision.refusals.length)} reason(s):`);
  for (const refusal of decision.refusals) console.error(`  ${refusal}`);
  process.exitCode = 77;
} else {
  const { component, transition } = order.wanted as { component: string; transition: string };
  const epoch = String(decision.epoch);
  const prose = [`${component} may go on with its ${transition}`, ...decision.notes].join("; ");
  const seconds = (Date.now() - started) / 1000;
  console.log(receiptLine(`${prose}, epoch ${epoch}`, seconds, { epoch, ...decision.tail }));
}
