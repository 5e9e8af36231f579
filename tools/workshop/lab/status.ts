import { readFile } from "node:fs/promises";
import { stateOf } from "./lib/host.ts";
import { addressIn } from "./lib/names.ts";
import { allLabs } from "./lib/registry.ts";

/** Memory of processes in MiB, shared pages divided among those that share them. */
export async function memory(pids: readonly number[]): Promise<number> {
  const sums = await Promise.all(
    pids.map(async (pid) => {
      const text = await readFile(`/proc/${pid}/smaps_rollup`, "utf8").catch(() => "");
      return Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0);
    }),
  );
  return sums.reduce((sum, kib) => sum + kib, 0) / 1024;
}

/** All labs of this machine with their hosts, as text for a person. */
export async function table(): Promise<string> {
  const labs = await allLabs();
  if (labs.length === 0) return "no labs on this machine; `pulumi up` on a local stack makes one";
  const blocks = labs.map(async ({ id, stack, checkout, subnet, hosts }) => {
    const rows = Object.entries(hosts).map(async ([name, { octet }]) => {
      const { state, cut, pids } = await stateOf(id, name);
      const address = addressIn(subnet, octet);
      const used = pids.length > 0 ? `${(await memory(pids)).toFixed(0)} MiB` : "";
      return `  ${name.padEnd(20)} ${address.padEnd(15)} ${(cut ? `${state}, cut off` : state).padEnd(18)} ${used}`;
    });
    return [`${id}  stack ${stack}  ${subnet}  ${checkout}`, ...(await Promise.all(rows))].join("\n");
  });
  return (await Promise.all(blocks)).join("\n");
}
