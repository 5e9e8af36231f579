import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { ssh } from "../tools/lab/lab.ts";
import { Writer, type WriterTarget } from "../tools/writer.ts";
import { line, median } from "./figures.ts";
import { Estate } from "../test/support/estate.ts";

const help = `A planned switch of production by this program and by repmgr, on the same two local hosts in the same run.

Usage: node bench/pair.ts [TIMES]     (each way; default 5)

A client writes 50 times a second through the service address of each. Printed for both, in seconds: the longest time
between two acknowledged writes, and the whole command; then acknowledged writes that are lost, and the ratio.`;

interface Switched {
  readonly outage: number;
  readonly command: number;
  readonly lost: number;
}

const settleMs = 1500;

/** One switch under a writer that is running: what the client saw, and how long the command took. */
async function measured(writer: Writer, act: () => Promise<void>): Promise<Switched> {
  await pause(settleMs);
  const mark = writer.mark();
  const started = performance.now();
  await act();
  const command = (performance.now() - started) / 1000;
  await pause(settleMs);
  const { outageMs } = writer.since(mark);
  return { outage: outageMs / 1000, command, lost: (await writer.lost()).length };
}

async function ours(estate: Estate, writer: Writer, to: string): Promise<Switched> {
  return measured(writer, async () => {
    estate.flip(to);
    const { code, output } = await estate.up();
    if (code !== 0) throw new Error(output);
  });
}

async function theirs(estate: Estate, writer: Writer, to: string): Promise<Switched> {
  const switched = await measured(writer, async () => {
    const command = "runuser -u postgres -- repmgr -f /etc/repmgr.conf standby switchover";
    const { code, stderr } = await ssh(estate.lab, to, command, 120);
    if (code !== 0) throw new Error(`repmgr on ${to} ended with ${String(code)}: ${stderr}`);
  });
  await estate.on(
    to,
    `until runuser -u postgres -- psql -p 5433 -Atc "select state from pg_stat_replication" | grep -q streaming; do read -rt 0.2 <> <(:); done`,
    60,
  );
  return switched;
}

/** repmgr's pair beside ours on the same machines, on port 5433 with an address of its own. */
async function installRepmgr(estate: Estate): Promise<WriterTarget> {
  const service = estate.serviceAddress.replace(/\.46$/, ".47");
  const script = readFileSync(join(import.meta.dirname, "pair", "repmgr-node.sh"), "utf8");
  const names = ["slayer", "megadeth"] as const;
  const keys = await Promise.all(names.map((name) => estate.on(name, makeKey)));
  for (const name of names) {
    await estate.on(
      name,
      `cat >>~postgres/.ssh/authorized_keys <<'END'\n${keys.join("")}END\nchown -R postgres: ~postgres/.ssh`,
    );
    await estate.on(name, `cat >/root/repmgr-node.sh <<'SCRIPT_ENDS'\n${script}\nSCRIPT_ENDS`);
  }
  for (const [index, name] of names.entries()) {
    const [self, peer] = [estate.host(name).address, estate.host(names[1 - index] ?? "").address];
    const role = index === 0 ? "primary" : "standby";
    await estate.on(
      name,
      `bash /root/repmgr-node.sh ${String(index + 1)} ${self} ${peer} ${service} ${role}`,
      120,
    );
  }
  return { host: service, port: 5433, database: "bench", user: "bench", password: "none" };
}

const makeKey = `mkdir -p ~postgres/.ssh && { [ -e ~postgres/.ssh/id_ed25519 ] || ssh-keygen -q -t ed25519 -N '' -f ~postgres/.ssh/id_ed25519; } && cat ~postgres/.ssh/id_ed25519.pub`;

function report(mine: readonly Switched[], peer: readonly Switched[]): void {
  console.log(
    line(
      "write outage, this program",
      mine.map(({ outage }) => outage),
    ),
  );
  console.log(
    line(
      "write outage, repmgr",
      peer.map(({ outage }) => outage),
    ),
  );
  console.log(
    line(
      "whole command, this program",
      mine.map(({ command }) => command),
    ),
  );
  console.log(
    line(
      "whole command, repmgr",
      peer.map(({ command }) => command),
    ),
  );
  const lost = (runs: readonly Switched[]) => String(Math.max(...runs.map((run) => run.lost)));
  console.log(`acknowledged writes lost: this program ${lost(mine)}, repmgr ${lost(peer)}`);
  const ratio = median(mine.map(({ outage }) => outage)) / median(peer.map(({ outage }) => outage));
  console.log(`ratio of the median outages: ${ratio.toFixed(2)}`);
}

async function main(times: number): Promise<void> {
  const estate = await Estate.start(["slayer", "megadeth"], ["repmgr", "postgresql-15-repmgr"]);
  try {
    const { code, output } = await estate.up();
    if (code !== 0) throw new Error(output);
    const repmgr = new Writer(await installRepmgr(estate));
    const changeover = new Writer(await estate.database());
    const [mine, peer]: [Switched[], Switched[]] = [[], []];
    for (let round = 0; round < times * 2; round++) {
      const to = round % 2 === 0 ? "megadeth" : "slayer";
      await changeover.start();
      mine.push(await ours(estate, changeover, to));
      await changeover.stop();
      await repmgr.start();
      peer.push(await theirs(estate, repmgr, to));
      await repmgr.stop();
      console.log(
        `to ${to}: ${(mine.at(-1)?.outage ?? 0).toFixed(2)} s, repmgr ${(peer.at(-1)?.outage ?? 0).toFixed(2)} s`,
      );
    }
    report(mine, peer);
  } finally {
    await estate.stop();
  }
}

if (process.argv.includes("--help")) console.log(help);
else await main(Number(process.argv[2] ?? 5));
