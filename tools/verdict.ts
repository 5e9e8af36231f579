import { readFileSync } from "node:fs";
import { badOf } from "../components/table.ts";
import type { Verdict } from "../components/transition.ts";

/** What was seen of each step of a transition, judged in the end. */
interface Order {
  readonly component: string;
  /** What is so when all was good, and what is so when it was not. */
  readonly good: string;
  readonly bad: string;
  /** What to do about it. */
  readonly cure: string;
  readonly verdicts: readonly Verdict[];
}

const { component, good, bad, cure, verdicts } = JSON.parse(readFileSync(0, "utf8")) as Order;
const reasons = verdicts.flatMap(({ phase, receipt }) => {
  const why = badOf(receipt);
  return why === undefined ? [] : [`${phase}: ${why}`];
});
if (reasons.length === 0) console.log(`${component} ${good} 0.00`);
else {
  console.error(`${bad}:`);
  for (const reason of reasons) console.error(`  ${reason}`);
  console.error(cure);
  process.exitCode = 77;
}
