import { join } from "node:path";
import { ok } from "../test/support/runs.ts";
import { scalrHosts } from "../test/support/scalr.ts";
import { ScalrSite } from "../test/support/scalr-site.ts";
import { Ansible, packages } from "./ansible.ts";
import { line, median, roundsOf } from "./figures.ts";

const help = `Upgrades of a package on five hosts, by this program and by an Ansible playbook of the same steps, on the same hosts in
one run: the whole command, and how long the main database and the site were away, seen from outside. Then one host fails.

Usage: npm run bench:staged-upgrade [-- ROUNDS]     3 when left out; about 3 minutes a round, and 8 besides`;

const rounds = roundsOf(help);
const versions = Array.from({ length: 2 * rounds + 2 }, (_, index) => `7.4.${String(10 + index)}-1`);
const playbook = join(import.meta.dirname, "staged-upgrade", "upgrade.yml");

interface Figure {
  readonly seconds: number;
  readonly database: number;
  readonly site: number;
}

const site = await ScalrSite.start(["7.4.0-1", ...versions], packages);
const hosts = Object.keys(scalrHosts);
const ansible = new Ansible(site.estate, "packages", {
  main: ["scalr-db"],
  others: hosts.filter((host) => host !== "scalr-db"),
  rpm: ["scalr-proxy"],
});

async function timed(act: () => Promise<unknown>): Promise<Figure> {
  site.watch();
  const started = performance.now();
  await act();
  const seconds = (performance.now() - started) / 1000;
  return { seconds, ...(await site.stopWatching()) };
}

const up = (version: string) => {
  site.set({ version });
  return site.estate.up();
};
const ours = (version: string) => timed(async () => ok(await up(version)));
const theirs = (version: string) => timed(async () => ok(await ansible.play(playbook, { version })));

function report(name: string, figures: readonly Figure[]): void {
  const of = (key: keyof Figure) => figures.map((figure) => figure[key]);
  console.log(line(name, of("seconds")));
  console.log(line("  main database away", of("database")));
  console.log(line("  site away", of("site")));
}

/** By host what it has, and what the database was migrated by. */
const left = async () =>
  Object.entries(await site.installed())
    .map(([host, version]) => `${host} ${version}`)
    .join(", ");

const breaks = "echo 'DPkg::Pre-Install-Pkgs {\"false\";};' >/etc/apt/apt.conf.d/99breaks";

try {
  await ansible.prepare(playbook);
  ok(await up("7.4.0-1"));
  const figures = { ours: [] as Figure[], theirs: [] as Figure[] };
  for (let round = 0; round < rounds; round++) {
    figures.ours.push(await ours(versions[2 * round] ?? ""));
    figures.theirs.push(await theirs(versions[2 * round + 1] ?? ""));
  }
  console.log("an upgrade of five hosts, with backup and without a migration");
  report("changeover", figures.ours);
  report("ansible, the page's steps", figures.theirs);
  const ratio = (key: keyof Figure) =>
    (
      median(figures.ours.map((figure) => figure[key])) / median(figures.theirs.map((figure) => figure[key]))
    ).toFixed(2);
  console.log(
    `changeover to ansible: ${ratio("seconds")} the whole command, ${ratio("database")} the database, ${ratio("site")} the site away`,
  );

  console.log("\nthe package can't be installed on scalr-worker: what is left");
  const [mine = "", other = ""] = versions.slice(-2);
  await site.estate.on("scalr-worker", breaks);
  const bad = await up(mine);
  console.log(`changeover   ended with ${String(bad.code)}: ${await left()}`);
  console.log(`             reconfigured: ${/upgrade-reconfigure/.test(bad.output) ? "yes" : "nothing"}`);
  await site.estate.on("scalr-worker", "rm /etc/apt/apt.conf.d/99breaks");
  ok(await up(mine));
  await site.estate.on("scalr-worker", breaks);
  const worse = await ansible.play(playbook, { version: other });
  console.log(`ansible      ended with ${String(worse.code)}: ${await left()}`);
  console.log(
    `             reconfigured: ${/TASK \[the main database first\][^]*changed: \[scalr-db\]/.test(worse.output) ? "the main database, and every other host" : "nothing"}`,
  );
} finally {
  await site.stop();
}
