import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureCommands, sshCommands } from "../setup/debian.ts";
import { readJson } from "../setup/files.ts";
import { root } from "../../../config/places.ts";
import { nothing, type Tally, tallyOf, type VitestReport } from "./tally.ts";

/** A suite: the folder of its name in test/. */
export interface Suite {
  readonly name: string;
  readonly minutes: number;
  /** Debian packages of the programs that its tests start. */
  readonly needs?: Readonly<Record<string, string>>;
  /** The same for programs whose tests are skipped where they can't be had. */
  readonly wants?: Readonly<Record<string, string>>;
  readonly asRoot?: boolean;
  /** Not part of `npm test`, which is to end in half an hour. */
  readonly apart?: boolean;
}

/** In the order in which they run: what fails soonest comes first. */
export const suites: readonly Suite[] = [
  { name: "unit", minutes: 3, wants: { memcached: "memcached" } },
  { name: "conformance", minutes: 15, needs: sshCommands },
  { name: "ci", minutes: 30, needs: { git: "git" } },
  { name: "engine", minutes: 45, needs: sshCommands, wants: { chromium: "chromium" } },
  { name: "lab", minutes: 60, needs: { nft: "nftables" }, asRoot: true },
  { name: "outage", minutes: 60, needs: { nft: "nftables" }, asRoot: true },
  {
    ...{ name: "night", minutes: 120, needs: { nft: "nftables" }, asRoot: true, apart: true },
    wants: { memcached: "memcached" },
  },
];

/** Aborted when this process was told to end while a suite ran: what the suite had begun is cleaned up by then. */
export const interruption = new AbortController();

/** Run a suite. @param more arguments for vitest, such as `-t name` or a file. */
export async function runSuite(suite: Suite, more: readonly string[]): Promise<Tally> {
  if (suite.asRoot && process.getuid?.() !== 0) {
    console.log("skipped: local hosts need root; run it as root to see these tests");
    return { ...nothing, skipped: 1 };
  }
  const folder = mkdtempSync(join(tmpdir(), "changeover-test-"));
  try {
    await ensureCommands(suite.needs ?? {}, `the ${suite.name} tests`);
    for (const [program, name] of Object.entries(suite.wants ?? {})) await want(program, name, suite);
    const report = join(folder, "report.json");
    const code = await vitest(suite, [
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${report}`,
      ...more,
    ]);
    return tallyOf(readJson<VitestReport>(report), code);
  } catch (error) {
    console.log(error instanceof Error ? error.message : error);
    return { ...nothing, failed: 1 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Have a program if it can be had; what its tests are skipped for is said. */
async function want(program: string, name: string, suite: Suite): Promise<void> {
  try {
    await ensureCommands({ [program]: name }, `the ${suite.name} tests`);
  } catch (error) {
    console.log(`skipped: tests with ${program}; ${error instanceof Error ? error.message : String(error)}`);
  }
}

function vitest(suite: Suite, args: readonly string[]): Promise<number> {
  const bin = join(root, "node_modules", "vitest", "vitest.mjs");
  const child = spawn(process.execPath, [bin, "run", "--root", root, "--project", suite.name, ...args], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    // In continuous integration vitest colours what no terminal shows.
    env: process.stdout.isTTY ? process.env : { NO_COLOR: "1", ...process.env },
  });
  const told = (signal: NodeJS.Signals) => {
    interruption.abort();
    child.kill(signal);
  };
  process.once("SIGTERM", told).once("SIGINT", told);
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      console.log(`the ${suite.name} tests did not end within ${suite.minutes} minutes: they are ended`);
      endIt(child);
    }, suite.minutes * 60_000);
    child.on("error", reject);
    child.on("exit", (code) => {
      clearTimeout(late);
      process.off("SIGTERM", told).off("SIGINT", told);
      resolve(code ?? 1);
    });
  });
}

const graceSeconds = 60;

/** Tests remove what they made when they are told to end; those that do not hear it are killed. */
function endIt(child: ChildProcess): void {
  child.kill("SIGTERM");
  setTimeout(() => child.kill("SIGKILL"), graceSeconds * 1000).unref();
}
