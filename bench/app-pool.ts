import { join } from "node:path";
import { archivePath } from "../tools/workshop/demo-releases.ts";
import type { LoadReport } from "../tools/workshop/load.ts";
import { PoolSite } from "../test/support/pool-site.ts";
import { ok } from "../test/support/runs.ts";
import { Ansible, packages } from "./ansible.ts";
import { sharedChanges } from "./app-pool/shared.ts";
import { line, median, roundsOf } from "./figures.ts";

const help = `Rolling updates of four app servers behind two balancers under 200 requests a second, by this program and by
Ansible (community.general.haproxy with drain and wait, one server at a time), on the same hosts in one run.

Usage: npm run bench:app-pool [-- ROUNDS]     3 when left out; about 2 minutes a round, and 6 besides`;

const rounds = roundsOf(help);
const releases = ["4685", "4684"] as const;
const root = join(import.meta.dirname, "..");

/** One update: how long it took, and what users saw meanwhile. */
interface Figure {
  readonly seconds: number;
  /** Until the last server answered users with the release; the whole command for what is no release. */
  readonly served: number;
  readonly seen: LoadReport;
}

const site = await PoolSite.start(
  ["websvr", "websvr2"],
  ["prodapp01", "prodapp02", "prodapp03", "prodapp04"],
  // A canary, then all others at once. Ansible has nothing like a watch after a server is up, so ours has none here.
  { minHealthy: 1, groupSize: 3, bakeSeconds: 0, groupBakeSeconds: 0 },
  { hosts: ["build"], packages },
);
const playbook = join(import.meta.dirname, "app-pool", "rolling.yml");
const ansible = new Ansible(site.estate, "build", { app: site.servers, balancers: site.balancers });
const brought = new Map<string, string>();

/** The rolling update to a release that is on the build host. */
const update = (revision: string) =>
  ansible.play(playbook, {
    pool: "crossbow",
    port: 8080,
    links: {},
    revision,
    archive: brought.get(revision),
  });

/** @param act ends the update, and throws when it failed. */
async function timed(act: () => Promise<void>, revision?: string): Promise<Figure> {
  const mark = users.mark();
  const seen = await site.seen(act);
  const seconds = seen.seconds - PoolSite.lingerSeconds;
  if (revision === undefined) return { seconds, served: seconds, seen };
  const first = users.firstBy(revision, mark);
  const missing = site.servers.filter((name) => first[name] === undefined);
  if (missing.length > 0) throw new Error(`${revision} was never answered by ${missing.join(", ")}`);
  return { seconds, served: Math.max(...Object.values(first)) / 1000, seen };
}

function ours(change: Record<string, unknown>): Promise<Figure> {
  site.set(change);
  return timed(
    async () => {
      ok(await site.estate.up());
    },
    change.release as string | undefined,
  );
}

function theirs(revision: string): Promise<Figure> {
  return timed(async () => {
    ok(await update(revision));
  }, revision);
}

function report(name: string, figures: readonly Figure[]): void {
  const values = (key: "served" | "seconds") => figures.map((figure) => figure[key]);
  console.log(line(name, values("seconds")));
  if (figures.some(({ served, seconds }) => served !== seconds))
    console.log(line("  until all serve it", values("served")));
  const failed = figures.map(({ seen }) => seen.failed);
  const asked = figures.map(({ seen }) => seen.ok + seen.failed);
  console.log(`${"".padEnd(28)} failed ${failed.join(" ")} of ${asked.join(" ")} requests`);
}

/** The state after an update: by server its state at each balancer, and its release. */
async function aftermath(): Promise<string> {
  const states = await Promise.all(site.balancers.map((balancer) => site.states(balancer)));
  const running = await site.running();
  return site.servers
    .map(
      (name) =>
        `${name} ${states.map((byServer) => byServer[name] ?? "none").join("/")} ${running[name] ?? "none"}`,
    )
    .join(", ");
}

const users = await site.users();

try {
  await ansible.prepare(playbook);
  for (const revision of [...releases, "4686-never-ready"])
    brought.set(revision, await ansible.bring(join(root, archivePath(revision))));
  const figures = { ours: [] as Figure[], theirs: [] as Figure[] };
  for (let round = 0; round < rounds; round++) {
    for (const release of releases) figures.ours.push(await ours({ release }));
    for (const release of releases) figures.theirs.push(await theirs(release));
    const [mine, other] = [figures.ours, figures.theirs].map((all) => all.slice(-2));
    const words = (all: readonly Figure[] = []) =>
      all
        .map(
          ({ served, seconds, seen }) =>
            `${served.toFixed(1)} of ${seconds.toFixed(1)} s (${String(seen.failed)} failed)`,
        )
        .join(", ");
    console.log(`round ${String(round + 1)}: changeover ${words(mine)}; ansible ${words(other)}`);
  }

  console.log("\nrolling update of four servers");
  report("changeover", figures.ours);
  report("ansible, drain and wait", figures.theirs);
  const ratio = (key: "served" | "seconds") =>
    (
      median(figures.ours.map((figure) => figure[key])) / median(figures.theirs.map((figure) => figure[key]))
    ).toFixed(2);
  console.log(
    `changeover to ansible: ${ratio("served")} until all serve it, ${ratio("seconds")} the whole command`,
  );

  console.log("\nother changes under the same load, by changeover");
  const out = { servers: { ...(site.pool.servers as object), prodapp02: "out" } };
  report("a server leaves", [await ours(out)]);
  report("it comes back", [await ours({ servers: { ...out.servers, prodapp02: "in" } })]);
  report("the balancers' configuration", [
    await ours({ ready: { path: "/ready", status: 200 }, host: "crossbow" }),
  ]);

  console.log("\na release that never becomes ready, and the state after it");
  const before = performance.now();
  site.set({ release: "4686-never-ready" });
  const bad = await site.seen(() => site.estate.up());
  console.log(
    `changeover   ${((performance.now() - before) / 1000).toFixed(1)} s, ${String(bad.failed)} failed: ${await aftermath()}`,
  );
  await ours({ release: "4684" });
  const started = performance.now();
  const worse = await site.seen(() => update("4686-never-ready"));
  console.log(
    `ansible      ${((performance.now() - started) / 1000).toFixed(1)} s, ${String(worse.failed)} failed: ${await aftermath()}`,
  );
  console.log("(by server: its state at each balancer, and its release)");
} finally {
  await site.stop();
}

console.log("\nwhat servers share, changed under the same load, by changeover (three servers)");
for (const { what, seconds, pages, styles } of await sharedChanges()) {
  console.log(line(what, [seconds]));
  console.log(
    `${"".padEnd(28)} failed ${String(pages.failed)} of ${String(pages.ok + pages.failed)} pages, ${String(styles.failed)} of ${String(styles.ok + styles.failed)} styles; slowest page ${String(pages.latency.max)} ms, style ${String(styles.latency.max)} ms; ${String(pages.sessionsLost)} sessions began anew, ${String(pages.sessionsBehind)} were a value behind`,
  );
}
