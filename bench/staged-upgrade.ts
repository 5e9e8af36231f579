import { join } from "node:path";
import type { Run } from "../test/support/engine.ts";
import { ok } from "../test/support/runs.ts";
import { scalr, scalrHosts } from "../test/support/scalr.ts";
import { ScalrSite } from "../test/support/scalr-site.ts";
import { failures, goBack, namesBefore, stageOf } from "../test/support/upgrade-barriers.ts";
import { type Fault, faults } from "../test/support/upgrade-faults.ts";
import { Ansible, packages, type Played } from "./ansible.ts";
import { line, median, roundsOf } from "./figures.ts";

const help = `Upgrades of a package on five hosts, by this program and by an Ansible playbook with the same steps, on the same hosts in
one run: the time of the whole command, and how long the main database and the site were away, seen from outside. Then
the same faults for both: where each stops, what each leaves, and what the same command does after the repair.

Usage: npm run bench:staged-upgrade [-- ROUNDS]     default: 3; about 3 minutes a round, and 25 more`;

const rounds = roundsOf(help);
const playbook = join(import.meta.dirname, "staged-upgrade", "upgrade.yml");
/** The faults. With Ansible, only a restore by hand would repair the last one. */
const wrong = [
  "a package that one host does not take",
  "a host that is not reached",
  "a service that flaps",
  "a reconfigure that fails on one host",
  "a stop that hangs",
  "a migration that fails",
].map((name) => faults.find((fault) => fault.name === name) as Fault);
/** Ansible has no limit for a command, so the bench ends a waiting run. */
const limitSeconds = 150;

interface Figure {
  readonly seconds: number;
  readonly database: number;
  readonly site: number;
}

const site = await ScalrSite.start(
  ["7.4.0-1", "7.4.2-1", "7.4.3-1"],
  // Ansible needs this library on a host to use apt.
  [...packages, "python3-apt"],
);
const hosts = Object.keys(scalrHosts);
const ansible = new Ansible(site.estate, "packages", {
  main: ["scalr-db"],
  others: hosts.filter((host) => host !== "scalr-db"),
  rpm: ["scalr-proxy"],
});
const smoke = Object.entries(scalr().smoke).map(([name, { cleanUp = "true", ...test }]) => ({
  name,
  cleanUp,
  ...test,
}));

let release = 0;
/** Another version, newer than all before; it migrates nothing. */
async function next(): Promise<string> {
  const version = `7.4.1-${String(++release)}`;
  await site.offer(version);
  return version;
}

async function timed<T>(act: () => Promise<T>): Promise<Figure & { readonly ended: T }> {
  site.watch();
  const started = performance.now();
  const ended = await act();
  const seconds = (performance.now() - started) / 1000;
  return { ended, seconds, ...(await site.stopWatching()) };
}

const up = (version: string): Promise<Run> => {
  site.set({ version });
  return site.up();
};
const play = (version: string): Promise<Played> => ansible.play(playbook, { version, smoke }, limitSeconds);

function report(name: string, figures: readonly Figure[]): void {
  const of = (key: keyof Figure) => figures.map((figure) => figure[key]);
  console.log(line(name, of("seconds")));
  console.log(line("  main database away", of("database")));
  console.log(line("  site away", of("site")));
}

async function compare(): Promise<void> {
  const figures = { ours: [] as Figure[], theirs: [] as Figure[] };
  for (let round = 0; round < rounds; round++) {
    const [mine, other] = [await next(), await next()];
    const ours = await timed(() => up(mine));
    ok(ours.ended);
    const theirs = await timed(() => play(other));
    ok(theirs.ended);
    figures.ours.push(ours);
    figures.theirs.push(theirs);
  }
  console.log(
    "an upgrade of five hosts with a backup, without a migration; only changeover tries to restore the backup",
  );
  report("changeover", figures.ours);
  report("ansible, the same steps", figures.theirs);
  const ratio = (key: keyof Figure) =>
    (
      median(figures.ours.map((figure) => figure[key])) / median(figures.theirs.map((figure) => figure[key]))
    ).toFixed(2);
  console.log(
    `changeover to ansible: ${ratio("seconds")} the whole command, ${ratio("database")} the database, ${ratio("site")} the site away`,
  );
}

/** Versions by host, and services that do not run. */
async function left(): Promise<string> {
  const versions = Object.entries(await site.installed()).map(([host, version]) => `${host} ${version}`);
  const idle = (await site.notRunning()).length;
  return `${versions.join(", ")}; ${idle === 0 ? "all services run" : `${String(idle)} services do not run`}`;
}

const ended = (code: number | null, seconds: number) =>
  `ended with ${String(code)} after ${seconds.toFixed(0)} s`;

async function ours(fault: Fault): Promise<void> {
  const [from, to] = [site.version, fault.version ?? (await next())];
  site.set(fault.config ?? {});
  await fault.breaks?.(site);
  const { ended: run, seconds } = await timed(() => up(to));
  const [stage = "nothing"] = failures(run);
  const before = namesBefore(stageOf(stage) ?? "preflight");
  console.log(
    `  changeover  ${ended(run.code, seconds)}, in ${stage}; ${before.includes("reconfigure-main") ? "the main database was migrated before" : "nothing was reconfigured"}`,
  );
  if (stage !== "preflight") console.log(`              ${await left()}`);
  await fault.mends?.(site);
  const again = await timed(async () => {
    if (fault.mends) ok(await site.up());
    else await goBack(site, from);
  });
  console.log(
    `              ${fault.mends ? "mended, and up again" : `back to ${from}`}: ${again.seconds.toFixed(0)} s; ${await left()}`,
  );
}

/** Hosts that a task of the playbook changed. */
const changed = (output: string, task: string): string[] => {
  const part = output.split(/^TASK /m).find((text) => text.startsWith(`[${task}]`)) ?? "";
  return [...part.matchAll(/^changed: \[([\w-]+)\]/gm)].map(([, host]) => host ?? "");
};

async function theirs(fault: Fault): Promise<void> {
  const to = fault.version ?? (await next());
  await fault.breaks?.(site);
  const { ended: run, seconds } = await timed(() => play(to));
  const migrated = changed(run.output, "the main database first").length > 0;
  const others = changed(run.output, "the others");
  console.log(
    `  ansible     ${run.code === null ? `still waited after ${String(limitSeconds)} s, and was ended` : ended(run.code, seconds)}; reconfigured: ${[...(migrated ? ["scalr-db"] : []), ...others].join(", ") || "nothing"}`,
  );
  await fault.mends?.(site);
  console.log(`              ${await left()}`);
  if (!fault.mends) return;
  const again = await timed(() => play(to));
  console.log(
    `              mended, and played again: ${ended(again.ended.code, again.seconds)}; ${await left()}`,
  );
}

// As many hosts at once as Ansible has forks.
site.set({ parallel: 4 });
try {
  await ansible.prepare(playbook);
  ok(await up("7.4.0-1"));
  if (rounds > 0) await compare();
  for (const fault of wrong) {
    console.log(`\n${fault.name}`);
    await ours(fault);
    await theirs(fault);
  }
} finally {
  await site.stop();
}
