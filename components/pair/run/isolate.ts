import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { servesAlready } from "../decide.ts";
import { epochOf } from "../../../transition/table.ts";

/** Which machine to cut off and how, and what preflight found. */
interface Order {
  readonly lost: string;
  /** The receipt of preflight: who writes now, and the epoch. */
  readonly receipt: string;
  /** A shell command that ends with 0 when the machine can't serve any more. */
  readonly fence: string;
}

const deadlineSeconds = 60;
const { lost, receipt, fence } = JSON.parse(readFileSync(0, "utf8")) as Order;
const epoch = epochOf(receipt);

if (receipt.includes(servesAlready)) {
  console.log(`${lost} was left as it is, since the other machine ${servesAlready}, epoch ${epoch}`);
} else {
  console.error(`cutting ${lost} off: ${fence}`);
  const started = performance.now();
  const done = spawnSync("sh", ["-c", fence], {
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
    timeout: deadlineSeconds * 1000,
    killSignal: "SIGKILL",
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(2);
  if (done.status === 0) console.log(`${lost} is cut off (${seconds} s), epoch ${epoch}`);
  else {
    const why = done.error ? done.error.message : `ended with ${String(done.status ?? done.signal)}`;
    console.error(
      `timed out: ${lost} is not known to be cut off: its fence ${why} after ${seconds} s; nothing was promoted. Run up again, or cut it off by hand and set its fence to a command that says so`,
    );
    process.exitCode = 75;
  }
}
