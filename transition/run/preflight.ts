import { readFileSync } from "node:fs";
import { clocksOf } from "../decide.ts";
import { receiptLine, running } from "../receipt.ts";
import { decide, type LookOrder } from "./order.ts";
import { lookAt } from "./probe.ts";

const order = JSON.parse(readFileSync(0, "utf8")) as LookOrder;
const ran = running();
const { decision, looks } = await decide(order, (look) => lookAt<never>(look));
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
