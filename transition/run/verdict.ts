import { readFileSync } from "node:fs";
import { badOf } from "../receipt.ts";
import type { Verdict } from "../args.ts";

/** What was seen of each step of a transition, and it was bad. */
interface Order {
  /** What is so then. */
  readonly bad: string;
  /** What to do about it. */
  readonly cure: string;
  readonly verdicts: readonly Verdict[];
}

const { bad, cure, verdicts } = JSON.parse(readFileSync(0, "utf8")) as Order;
console.error(`${bad}:`);
for (const { phase, receipt } of verdicts) {
  const why = badOf(receipt);
  if (why !== undefined) console.error(`  ${phase}: ${why}`);
}
console.error(cure);
process.exitCode = 77;
