import { spawn } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { chaosTable, readRecords } from "./chaos/records.ts";
import { ensureCommands } from "./setup/debian.ts";
import { cacheFolder, root } from "../../config/places.ts";

const file = join(cacheFolder(), "chaos.jsonl");

const help = `The whole crash matrix on real hosts: every step of a switch x every incident x finish or flip back, and
production lost in every way; every step of a pool's release, of a server's way in and out and of a cut-over, failed,
killed, and with a machine gone in it; the way back from every stage of a staged upgrade; every step of a search
cluster's bounce, drain, leave and entry.

Usage: npm run chaos -- [--minutes N] [--again]

  --minutes N   begin no case after N minutes (default 60)
  --again       from the beginning; otherwise cases that passed are left out

Every case is a switch under a writer with watchers outside: no two machines that accept writes or hold the
address, no acknowledged write lost, a clean state afterwards. Results are kept in
${file}.`;

const { values } = parseArgs({
  options: { minutes: { type: "string" }, again: { type: "boolean" }, help: { type: "boolean", short: "h" } },
});

async function chaos(minutes: number): Promise<number> {
  if (process.getuid?.() !== 0) {
    console.error(`chaos: local hosts need root; this is uid ${String(process.getuid?.())}: run it as root`);
    return 77;
  }
  await ensureCommands({ nft: "nftables" }, "the lab tests");
  mkdirSync(dirname(file), { recursive: true });
  if (values.again) rmSync(file, { force: true });
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
  const args = [
    vitest,
    "run",
    "--root",
    root,
    ...["--project", "outage", "--project", "lab", "--project", "night", "--no-file-parallelism"],
    "test/outage/switch.test.ts",
    "test/lab/emergency.test.ts",
    "test/night/pool-crash.test.ts",
    "test/night/upgrade-crash.test.ts",
    "test/night/search-crash.test.ts",
    "--reporter=verbose",
  ];
  const until = String(Date.now() + minutes * 60_000);
  const env = { ...process.env, CHANGEOVER_CHAOS: file, CHANGEOVER_CHAOS_UNTIL: until };
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: "inherit" });
  const code = await new Promise<number>((resolve) => child.on("close", (ended) => resolve(ended ?? 1)));
  console.log(chaosTable(readRecords(file)));
  return code;
}

const minutes = Number(values.minutes ?? 60);
if (values.help) console.log(help);
else if (Number.isFinite(minutes) && minutes > 0) process.exitCode = await chaos(minutes);
else {
  console.error(`chaos: --minutes is "${values.minutes ?? ""}"; allowed: a number above 0`);
  process.exitCode = 64;
}
