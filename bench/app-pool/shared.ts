import { PoolSite } from "../../test/support/pool-site.ts";
import { ok } from "../../test/support/runs.ts";
import { Load, type LoadReport } from "../../tools/workshop/load.ts";

const styles = "/deploy/crossbow/shared/system/styles";
const servers = ["prodapp01", "prodapp02", "prodapp03"];
const volume = {
  servers: ["prodapp01", "prodapp02"],
  arbiter: "websvr",
  brick: "/data00/styles",
  owner: "expprodl",
  mounts: Object.fromEntries(servers.map((name) => [name, styles])),
};
const cache = { nodes: { prodapp01: "in", prodapp02: "in" }, clients: servers };
const config = { sharedVolumes: { styles: volume }, caches: { sessions: cache } };

/** A change of the shared volume or the cache, and what users saw meanwhile: pages with a session, and styles. */
export interface SharedChange {
  readonly what: string;
  readonly seconds: number;
  readonly pages: LoadReport;
  readonly styles: LoadReport;
}

const replaced = { styles: { ...volume, servers: ["prodapp01", "prodapp03"] } };
const changes: readonly (readonly [string, Record<string, unknown>])[] = [
  ["a gluster brick is replaced", { ...config, sharedVolumes: replaced }],
  [
    "memcached restarts, node by node",
    { sharedVolumes: replaced, caches: { sessions: { ...cache, memoryMiB: 96 } } },
  ],
];

/** Three servers whose pages need memcached and whose styles are on GlusterFS. Both change under load. */
export async function sharedChanges(): Promise<SharedChange[]> {
  const site = await PoolSite.start(
    ["websvr", "websvr2"],
    servers,
    {
      cache: "sessions",
      links: { "public/styles": "system/styles" },
      settings: { STYLES_MARKER: ".changeover/volume" },
    },
    { config },
  );
  const readers = new Load({ targets: site.targets, perSecond: 50, path: "/styles/site.css", slowShare: 0 });
  try {
    await site.estate.on("prodapp01", `echo 'body {}' >${styles}/site.css && chmod 0644 ${styles}/site.css`);
    await readers.start();
    await site.users();
    const seen: SharedChange[] = [];
    for (const [what, more] of changes) {
      const mark = readers.mark();
      site.set({}, more);
      const pages = await site.seen(async () => {
        ok(await site.estate.up());
      });
      const seconds = pages.seconds - PoolSite.lingerSeconds;
      seen.push({ what, seconds, pages, styles: readers.since(mark) });
    }
    return seen;
  } finally {
    await readers.stop();
    await site.stop();
  }
}
