import { searchArchive } from "../../tools/workshop/search-archives.ts";
import { Estate } from "./estate.ts";
import { ok } from "./runs.ts";
import { SearchLoad, type SearchReport } from "./search-load.ts";

/** The seed's nodes: two that stay, two that may vanish, and a coordinator that votes and holds no data. */
export const searchNodes = {
  es1: { roles: ["data", "manager"] },
  es2: { roles: ["data", "manager"] },
  es3: { zone: "spot" },
  es4: { zone: "spot" },
  frontend: { roles: ["manager"] },
} as const;

/** A search cluster on machines of its own, which the real program makes and operates. */
export class SearchSite {
  readonly estate: Estate;
  cluster: Record<string, unknown>;

  private constructor(estate: Estate, cluster: Record<string, unknown>) {
    this.estate = estate;
    this.cluster = cluster;
  }

  /** Boot the machines and form the cluster. @param change of the entry. */
  static async start(
    change: Record<string, unknown> = {},
    more: {
      hosts?: readonly string[];
      packages?: readonly string[];
      engine?: string;
      versions?: readonly string[];
    } = {},
  ): Promise<SearchSite> {
    const { engine = "opensearch", versions = ["2.19.5"] } = more;
    const archives: [string, object][] = [];
    for (const version of versions) archives.push([version, await searchArchive(engine, version)]);
    const cluster: Record<string, unknown> = {
      engine,
      version: versions[0],
      versions: Object.fromEntries(archives),
      nodes: searchNodes,
      coordinator: "frontend",
      heapMiB: 256,
      coordinatorHeapMiB: 128,
      clearSpot: false,
      ...change,
    };
    const nodes = Object.keys(cluster.nodes as object);
    const estate = await Estate.start([...nodes, ...(more.hosts ?? [])], more.packages ?? []);
    estate.limitSeconds = 400;
    const site = new SearchSite(estate, cluster);
    // The tests ask from this machine, which has the network's first address.
    site.cluster = { clients: [estate.subnet.replace(/\.0\/24$/, ".1/32")], ...cluster };
    site.set({});
    ok(await estate.up());
    return site;
  }

  /** Change the cluster's entry for the next run. */
  set(change: Record<string, unknown>): void {
    this.cluster = { ...this.cluster, ...change };
    this.estate.config = { pairs: {}, searchClusters: { catalogue: this.cluster } };
    this.estate.write();
  }

  /** Change one node's lines. */
  setNode(host: string, change: object): void {
    const nodes = this.cluster.nodes as Record<string, object>;
    this.set({ nodes: { ...nodes, [host]: { ...nodes[host], ...change } } });
  }

  at(host: string): string {
    return `http://${this.estate.host(host).address}:9200`;
  }

  /** One request to a node. @throws when it is refused or not answered within 10 s. */
  async ask<T = Record<string, unknown>>(
    path: string,
    body?: object,
    { host = "frontend", method = body ? "PUT" : "GET" } = {},
  ): Promise<T> {
    const answer = await fetch(`${this.at(host)}${path}`, {
      method,
      signal: AbortSignal.timeout(10_000),
      ...(body ? { body: JSON.stringify(body), headers: { "content-type": "application/json" } } : {}),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${host}${path}: ${String(answer.status)} ${text}`);
    return JSON.parse(text) as T;
  }

  /** Settings of the cluster that somebody set, flat, without what the program notes of itself. */
  async settings(): Promise<Record<string, Record<string, string>>> {
    return this.ask("/_cluster/settings?flat_settings=true");
  }

  /** An index of the programs, with documents in it. */
  async fill(documents = 2000, replicas = 1, shards = 5): Promise<void> {
    await this.ask("/pages", {
      settings: { number_of_shards: shards, number_of_replicas: replicas },
    });
    for (let from = 0; from < documents; from += 1000) {
      const lines = Array.from({ length: Math.min(1000, documents - from) }, (_, index) => {
        const n = from + index;
        return `{"create":{"_id":"seed-${String(n)}"}}\n{"text":"document ${String(n)} ${"lorem ipsum ".repeat(20)}","n":${String(n)}}\n`;
      }).join("");
      const answer = await fetch(`${this.at("frontend")}/pages/_bulk`, {
        method: "POST",
        body: lines,
        headers: { "content-type": "application/x-ndjson" },
      });
      if (!answer.ok || (await answer.text()).includes('"errors":true'))
        throw new Error("a document was refused");
    }
    await this.ask("/_cluster/health?wait_for_status=green&timeout=30s");
  }

  /** Programs that use the cluster from now on. */
  users(hosts: readonly string[] = ["frontend", "es1", "es2"], index = "pages"): SearchLoad {
    const load = new SearchLoad(
      hosts.map((host) => this.at(host)),
      index,
    );
    load.start();
    return load;
  }

  /** What the programs saw while something was done, and which of their acknowledged documents are missing afterwards. */
  async seenWhile(act: () => Promise<void>): Promise<{ seen: SearchReport; missing: readonly string[] }> {
    const users = this.users();
    users.mark();
    await act();
    const seen = await users.report();
    users.stop();
    return { seen, missing: (await users.check(seen.written)).missing };
  }

  stop(): Promise<void> {
    return this.estate.stop();
  }
}
