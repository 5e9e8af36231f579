import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { receiptLine, running, tailOf } from "../../../transition/receipt.ts";

/** The machine to cut off, its fence, and the result of the preflight. */
interface Order {
  readonly pair: string;
  readonly lost: string;
  /** The receipt of the preflight; its tail has the epoch, and the machine that accepts writes now. */
  readonly receipt: string;
  /** A shell command that ends with 0 when the machine can no longer serve. */
  readonly fence: string;
}

const deadlineSeconds = 60;
const ran = running();
const { pair, lost, receipt, fence } = JSON.parse(readFileSync(0, "utf8")) as Order;
const { epoch, serving } = tailOf(receipt);

if (epoch === undefined) {
  // The machine that serves now is unknown too, so no machine is cut off.
  console.error(
    `refused: the receipt of the preflight has no epoch ("${receipt}"); ${lost} was not cut off; start again: npx pulumi up --replace '**::${pair}-switch-id'`,
  );
  process.exitCode = 77;
} else if (serving !== undefined && serving !== lost) {
  const prose = `${lost} was not cut off, since ${serving} already accepts writes, epoch ${epoch}`;
  console.log(receiptLine(prose, ran(), { epoch }));
} else cutOff(epoch);

function cutOff(epoch: string): void {
  console.error(`cutting ${lost} off: ${fence}`);
  const ended = spawnSync("sh", ["-c", fence], {
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
    timeout: deadlineSeconds * 1000,
    killSignal: "SIGKILL",
  });
  const cut = ran();
  if (ended.status === 0) {
    console.log(receiptLine(`${lost} is cut off, epoch ${epoch}`, cut, { epoch }));
    return;
  }
  const why = ended.error ? ended.error.message : `ended with ${String(ended.status ?? ended.signal)}`;
  console.error(
    `timed out: ${lost} may still run: its fence ${why} after ${cut.seconds.toFixed(2)} s; nothing was promoted. Run up again, or switch ${lost} off by hand and set its fence to a command that checks this`,
  );
  process.exitCode = 75;
}
