import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { receiptLine, tailOf } from "../../../transition/receipt.ts";

/** Which machine to cut off and how, and what preflight found. */
interface Order {
  readonly pair: string;
  readonly lost: string;
  /** The receipt of preflight; its tail says who writes now, and the epoch. */
  readonly receipt: string;
  /** A shell command that ends with 0 when the machine can't serve any more. */
  readonly fence: string;
}

const deadlineSeconds = 60;
const { pair, lost, receipt, fence } = JSON.parse(readFileSync(0, "utf8")) as Order;
const { epoch, serving } = tailOf(receipt);

if (epoch === undefined) {
  // Whoever serves now is not known either, so nothing is cut off.
  console.error(
    `refused: the receipt of the preflight names no epoch ("${receipt}"); nothing was cut off; start again: npx pulumi up --replace '**::${pair}-switch-id'`,
  );
  process.exitCode = 77;
} else if (serving !== undefined && serving !== lost) {
  const prose = `${lost} was left as it is, since ${serving} accepts the writes already, epoch ${epoch}`;
  console.log(receiptLine(prose, 0, { epoch }));
} else cutOff(epoch);

function cutOff(epoch: string): void {
  console.error(`cutting ${lost} off: ${fence}`);
  const started = performance.now();
  const done = spawnSync("sh", ["-c", fence], {
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
    timeout: deadlineSeconds * 1000,
    killSignal: "SIGKILL",
  });
  const seconds = (performance.now() - started) / 1000;
  if (done.status === 0) {
    console.log(receiptLine(`${lost} is cut off, epoch ${epoch}`, seconds, { epoch }));
    return;
  }
  const why = done.error ? done.error.message : `ended with ${String(done.status ?? done.signal)}`;
  console.error(
    `timed out: ${lost} is not known to be cut off: its fence ${why} after ${seconds.toFixed(2)} s; nothing was promoted. Run up again, or cut it off by hand and set its fence to a command that says so`,
  );
  process.exitCode = 75;
}
