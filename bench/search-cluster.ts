import { join } from "node:path";
import type { SearchLoad, SearchReport } from "../test/support/search-load.ts";
import { searchNodes, SearchSite } from "../test/support/search-site.ts";
import { ok } from "../test/support/runs.ts";
import { Ansible, packages } from "./ansible.ts";
import { line, median, roundsOf } from "./figures.ts";

const help = `A controlled restart of five search nodes under 50 writes and 20 searches a second: by this program, with and
without clearing the spot zone first; by Ansible with a playbook by the engine's book; and as the seed's page has it, to the
letter, printed third. All on the same nodes in one run.

Usage: npm run bench:search-cluster [-- ROUNDS]     3 when left out; about 4 minutes a round, and 2 besides

Printed: seconds of the whole command; the longest time between two good writes and two good searches of a program that
knows three addresses; the same of one that knows the coordinator alone; looks at the health that were red; documents lost.`;

interface Figure {
  readonly seconds: number;
  readonly seen: SearchReport;
  readonly lost: number;
}

const rounds = roundsOf(help);
const hosts = ["es3", "es4", "es1", "es2", "frontend"];
const unit = "changeover-search-catalogue";
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const site = await SearchSite.start({ nodes: searchNodes }, { hosts: ["build"], packages });
const ansible = new Ansible(site.estate, "build", { nodes: hosts });
const playbook = join(import.meta.dirname, "search-cluster", "bounce.yml");
let bounce = 0;

async function timed(users: SearchLoad, act: () => Promise<void>): Promise<Figure> {
  users.mark();
  const started = performance.now();
  await act();
  const seconds = (performance.now() - started) / 1000;
  await pause(1000);
  const seen = await users.report();
  const { missing } = await users.check(seen.written);
  await site.ask("/_cluster/health?wait_for_status=green&timeout=60s");
  return { seconds, seen, lost: missing.length };
}

/** The page's five steps: no wait between them, and all nodes in one go. */
async function bySeed(): Promise<void> {
  const put = (key: string, value: string) =>
    site.ask("/_cluster/settings", { persistent: { [key]: value } });
  await put("cluster.routing.allocation.enable", "none");
  for (const host of hosts) await site.estate.on(host, `systemctl restart ${unit}`, 120);
  for (let tries = 0; tries < 300; tries++) {
    try {
      await put("cluster.routing.allocation.enable", "all");
      break;
    } catch {
      await pause(200);
    }
  }
  await site.ask("/_cluster/settings", { persistent: { "cluster.routing.allocation.enable": null } });
}

const ways: Readonly<Record<string, () => Promise<void>>> = {
  changeover: async () => {
    site.set({ bounce: `round ${String(bounce++)}`, clearSpot: false });
    ok(await site.estate.up());
  },
  ansible: async () => {
    const coordinator = site.estate.host("frontend").address;
    ok(await ansible.play(playbook, { unit, coordinator, count: hosts.length }));
  },
  "changeover, spot cleared": async () => {
    site.set({ bounce: `round ${String(bounce++)}`, clearSpot: true });
    ok(await site.estate.up());
  },
  "the seed's page": bySeed,
};

try {
  await ansible.prepare(playbook);
  await site.fill(60_000);
  const users = site.users();
  await pause(5000);
  const figures = new Map<string, Figure[]>(Object.keys(ways).map((way) => [way, []]));
  for (let round = 1; round <= rounds; round++)
    for (const [way, act] of Object.entries(ways)) {
      const figure = await timed(users, act);
      figures.get(way)?.push(figure);
      console.log(`round ${String(round)}: ${way}: ${figure.seconds.toFixed(1)} s`);
    }
  users.stop();
  const all = (way: string, of: (figure: Figure) => number): number[] => (figures.get(way) ?? []).map(of);
  for (const [title, of] of [
    ["whole command", ({ seconds }: Figure) => seconds],
    ["longest time between two good writes", ({ seen }: Figure) => seen.writeGap],
    ["longest time between two good searches", ({ seen }: Figure) => seen.searchGap],
    ["a program that knows the coordinator alone", ({ seen }: Figure) => seen.firstAddressGap],
  ] as const) {
    console.log(`\n${title}`);
    for (const way of Object.keys(ways)) console.log(line(way, all(way, of)));
  }
  console.log(
    "\nrequests that failed at their third try, looks that were red, acknowledged documents that are lost",
  );
  for (const way of Object.keys(ways))
    console.log(
      `${way.padEnd(28)} failed ${all(way, ({ seen }) => seen.failedWrites.length + seen.failedSearches.length).join(" ")}   red ${all(way, ({ seen }) => seen.red).join(" ")}   lost ${all(way, ({ lost }) => lost).join(" ")}`,
    );
  const ratio = (way: string) =>
    median(all(way, ({ seconds }) => seconds)) / median(all("ansible", ({ seconds }) => seconds));
  console.log(`\nwhole command, changeover to ansible: ${ratio("changeover").toFixed(2)}`);
  console.log(
    `whole command, changeover with the spot zone cleared to ansible: ${ratio("changeover, spot cleared").toFixed(2)}`,
  );
} finally {
  await site.stop();
}
