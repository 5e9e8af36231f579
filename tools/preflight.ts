import { readFileSync } from "node:fs";
import { decidePair, type PairWanted } from "../components/pair-decide.ts";
import { lookAt, type LookAt } from "./look.ts";

interface Order {
  readonly wanted: PairWanted;
  readonly looks: readonly LookAt[];
}

const order = JSON.parse(readFileSync(0, "utf8")) as Order;
const started = Date.now();
const decision = decidePair(await Promise.all(order.looks.map(lookAt)), order.wanted);
for (const note of decision.notes) console.error(note);
if (decision.refusals.length > 0) {
  console.error(`refused, nothing was touched; ${String(decision.refusals.length)} reason(s):`);
  for (const refusal of decision.refusals) console.error(`  ${refusal}`);
  process.exitCode = 77;
} else {
  const seconds = ((Date.now() - started) / 1000).toFixed(2);
  console.log(
    `${[`${order.wanted.pair} may go on with its ${order.wanted.transition} (${seconds} s)`, ...decision.notes].join("; ")}, epoch ${String(decision.epoch)}`,
  );
}
