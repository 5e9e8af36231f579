import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

const scripts = join(import.meta.dirname, "..", "..", "scripts", "search");
/** The engine refuses to run as root. */
const nobody = 65534;
const port = 19620;
const transportPort = 19630;
const zones = ["safe", "spot"];

/** How a node of the tests is made; what is left out is as the others have it. */
export interface NodeMade {
  readonly address: string;
  readonly zone: string;
  readonly roles: readonly string[];
  /** MiB of a file system of its own for its data. */
  readonly diskMiB?: number;
  readonly is?: string;
  /** The node's name in the cluster, when it is not the one of its host. */
  readonly called?: string;
  readonly transportPort?: number;
  /** Its `path.repo`; left out: the folder that all share. */
  readonly repo?: string;
  /** Lines of its file, beside those of every node. */
  readonly lines?: readonly string[];
}

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  readonly seconds: number;
}

type Json = Record<string, unknown>;

/** Real servers on loopback addresses, and the scripts of members run against them. */
export class SearchNodes {
  readonly folder = mkdtempSync(join(tmpdir(), "search-members-"));
  readonly component = "logs-es4";
  accept: string[] = [];
  singleManager = false;
  /** The folder of snapshots, as the stack file names it. */
  repo?: string;
  readonly #nodes: Record<string, NodeMade>;
  readonly #home: string;
  readonly #running = new Map<string, ChildProcess>();

  /** @param home an unpacked distribution. */
  constructor(home: string, nodes: Record<string, NodeMade>) {
    this.#home = home;
    this.#nodes = { ...nodes };
    chmodSync(this.folder, 0o755);
    mkdirSync(join(this.folder, "repo"));
    chownSync(join(this.folder, "repo"), nobody, nobody);
    const claim = join(this.folder, "root", this.component, "claim");
    mkdirSync(join(claim, ".."), { recursive: true });
    writeFileSync(claim, "id=one\ntransition=member\n");
    this.writeFacts();
  }

  /** What configure-node writes on a host. */
  writeFacts(is: Record<string, string> = {}): void {
    const nodes = Object.entries(this.#nodes).map(([name, { address, zone, roles }]) => [
      name,
      { address, zone, roles, is: is[name] ?? "in" },
    ]);
    const facts = {
      ...{ cluster: "logs", engine: "opensearch", version: "2.19.5", node: "es2" },
      ...{ port, transport_port: transportPort, coordinator: null, attribute: "zone", awareness: true },
      ...{ address: this.#nodes["es2"]?.address, spot_zones: ["spot"], owner: "nobody", owner_uid: nobody },
      ...{ data: "/var/lib/logs", logs: "/var/log/logs", single_manager: this.singleManager },
      ...{ accept: this.accept, nodes: Object.fromEntries(nodes) as Json },
      ...(this.repo === undefined ? {} : { repo: this.repo }),
    };
    writeFileSync(join(this.folder, "logs.json"), JSON.stringify(facts));
  }

  claim(id: string): void {
    writeFileSync(join(this.folder, "root", this.component, "claim"), `id=${id}\ntransition=member\n`);
  }

  add(name: string, node: NodeMade): void {
    this.#nodes[name] = node;
    this.writeFacts();
  }

  /** A node that was killed is no node any more. */
  forget(name: string): void {
    if (this.#nodes[name]?.diskMiB !== undefined) execFileSync("umount", [join(this.folder, name, "data")]);

    delete this.#nodes[name];
    this.writeFacts();
  }

  #configure(name: string, node: NodeMade): string {
    const own = join(this.folder, name);
    if (existsSync(own)) return own;
    const config = join(own, "config");
    mkdirSync(join(own, "data"), { recursive: true });
    mkdirSync(join(own, "logs"));
    if (node.repo !== undefined) {
      mkdirSync(join(this.folder, node.repo));
      chownSync(join(this.folder, node.repo), nobody, nobody);
    }
    cpSync(join(this.#home, "config"), config, { recursive: true });
    const managers = Object.entries(this.#nodes)
      .filter(([, { roles }]) => roles.includes("manager"))
      .map(([one]) => one);
    const roles = node.roles.map((role) => (role === "manager" ? "cluster_manager" : role));
    const seeds = Object.values(this.#nodes).map(({ address }) => `"${address}:${String(transportPort)}"`);
    writeFileSync(
      join(config, "opensearch.yml"),
      [
        "cluster.name: logs",
        `node.name: ${JSON.stringify(node.called ?? name)}`,
        `node.roles: [${roles.join(", ")}]`,
        `node.attr.zone: ${node.zone}`,
        `network.host: ${node.address}`,
        `http.port: ${String(node.transportPort === undefined ? port : node.transportPort + 1)}`,
        `transport.port: ${String(node.transportPort ?? transportPort)}`,
        `discovery.seed_hosts: [${seeds.join(", ")}]`,
        `cluster.initial_cluster_manager_nodes: [${managers.join(", ")}]`,
        `path.data: ${join(own, "data")}`,
        `path.logs: ${join(own, "logs")}`,
        `path.repo: ${join(this.folder, node.repo ?? "repo")}`,
        "node.store.allow_mmap: false",
        "cluster.info.update.interval: 10s",
        ...(node.lines ?? []),
        "",
      ].join("\n"),
    );
    const options = readFileSync(join(config, "jvm.options"), "utf8")
      .split("\n")
      .filter((line) => !/^-Xm[sx]|gc|HeapDump|ErrorFile|G1/i.test(line));
    const small = [
      "-Xms160m",
      "-Xmx160m",
      "-XX:+UseSerialGC",
      "-XX:TieredStopAtLevel=1",
      "-XX:CICompilerCount=1",
    ];
    writeFileSync(join(config, "jvm.options"), [...options, ...small, ""].join("\n"));
    if (node.diskMiB !== undefined)
      execFileSync("mount", [
        ...["-t", "tmpfs", "-o", `size=${String(node.diskMiB)}m,mode=0755`, "tmpfs"],
        join(own, "data"),
      ]);
    execFileSync("chown", ["-R", `${String(nobody)}:${String(nobody)}`, own]);
    return own;
  }

  /** Starts nodes and waits until the cluster has them. */
  async start(...names: string[]): Promise<void> {
    for (const name of names) {
      const node = this.#nodes[name];
      if (node === undefined) throw new Error(`${name} is no node`);
      const own = this.#configure(name, node);
      const server = spawn(join(this.#home, "bin", "opensearch"), [], {
        uid: nobody,
        gid: nobody,
        cwd: own,
        env: {
          PATH: process.env["PATH"],
          OPENSEARCH_PATH_CONF: join(own, "config"),
          OPENSEARCH_JAVA_HOME: javaHome(),
          HOME: own,
        },
        stdio: ["ignore", "ignore", "ignore"],
      });
      this.#running.set(name, server);
    }
    const called = names.map((name) => this.#nodes[name]?.called ?? name);
    await this.until(`${names.join(", ")} joined`, 120, async () => {
      const here = await this.names();
      return called.every((name) => here.includes(name));
    });
  }

  async names(): Promise<string[]> {
    const state = await this.ask("/_cluster/state/nodes?filter_path=nodes.*.name");
    return Object.values((state["nodes"] ?? {}) as Record<string, { name: string }>).map(({ name }) => name);
  }

  async kill(name: string, signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const server = this.#running.get(name);
    if (server === undefined) return;
    this.#running.delete(name);
    server.kill(signal);
    if (server.exitCode === null && server.signalCode === null) await once(server, "exit");
  }

  async end(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((name) => this.kill(name)));
    for (const [name, { diskMiB }] of Object.entries(this.#nodes))
      if (diskMiB !== undefined) execFileSync("umount", [join(this.folder, name, "data")]);
    rmSync(this.folder, { recursive: true, force: true });
  }

  async until(what: string, seconds: number, holds: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + seconds * 1000;
    for (;;) {
      if (await holds().catch(() => false)) return;
      if (performance.now() > deadline) throw new Error(`${what}: not so after ${String(seconds)} s`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  /** An answer of the first node that gives one. @throws Error with what the engine says. */
  async ask(path: string, body?: unknown, method = body === undefined ? "GET" : "POST"): Promise<Json> {
    for (const name of this.#running.keys()) {
      const node = this.#nodes[name];
      if (node === undefined || node.transportPort !== undefined) continue;
      const { status, text } = await once_(node.address, path, method, body).catch(() => ({
        status: 503,
        text: "",
      }));
      if (status === 503) continue;
      if (status >= 400) throw new Error(`${method} ${path}: ${String(status)} ${text.slice(0, 500)}`);
      return (text === "" ? {} : JSON.parse(text)) as Json;
    }
    throw new Error(`${method} ${path}: nobody answers`);
  }

  put(path: string, body: unknown): Promise<Json> {
    return this.ask(path, body, "PUT");
  }

  /** An index of `mib` MiB, a document a MiB; its copies are started. */
  async index(name: string, mib: number, settings: Json = {}): Promise<void> {
    await this.put(`/${name}`, {
      settings: {
        ...{ number_of_shards: 1, number_of_replicas: 1 },
        ...{ "unassigned.node_left.delayed_timeout": "6s", ...settings },
      },
      mappings: { enabled: false },
    });
    for (let at = 0; at < mib; at += 4) {
      const rows = Array.from({ length: Math.min(4, mib - at) }, () => {
        const text = Buffer.from(Array.from({ length: 12 }, () => noise()).join(""));
        return `{"index":{}}\n${JSON.stringify({ text: text.toString("latin1") })}\n`;
      });
      await this.ask(`/${name}/_bulk?filter_path=errors`, rows.join(""));
    }
    await this.ask(`/${name}/_flush`, {});
    await this.ask(
      `/_cluster/health/${name}?wait_for_status=${settings["wait"] === undefined ? "green" : "yellow"}&timeout=30s`,
    );
  }

  /** Names of nodes that hold copies, by shard: `a[0]`; a copy without a node is `-`. */
  async places(): Promise<Record<string, string[]>> {
    const rows = (await this.ask("/_cat/shards?format=json&h=index,shard,node,state")) as unknown as {
      index: string;
      shard: string;
      node: string | null;
    }[];
    const found: Record<string, string[]> = {};
    for (const { index, shard, node } of rows)
      found[`${index}[${shard}]`] = [...(found[`${index}[${shard}]`] ?? []), node ?? "-"].sort();
    return found;
  }

  async on(name: string): Promise<string[]> {
    const places = await this.places();
    return Object.keys(places).filter((shard) => places[shard]?.some((node) => node.split(" ")[0] === name));
  }

  /** The two scopes as one text: what must be as it was found. */
  async settings(): Promise<string> {
    const { persistent, transient } = await this.ask("/_cluster/settings?flat_settings=true");
    const sorted = (scope: unknown) =>
      Object.entries(scope as Json).sort(([one], [other]) => (one < other ? -1 : 1));
    return JSON.stringify([sorted(persistent), sorted(transient)]);
  }

  set(persistent: Json, transient: Json = {}): Promise<Json> {
    return this.put("/_cluster/settings", { persistent, transient });
  }

  /** Forced awareness as the seed has it, no index, no lease, no exclusion. */
  async reset(): Promise<void> {
    const { persistent, transient } = (await this.ask("/_cluster/settings?flat_settings=true")) as Record<
      string,
      Json
    >;
    const nothing = (scope: Json = {}) => Object.fromEntries(Object.keys(scope).map((key) => [key, null]));
    // An engine without a setting refuses to take none away.
    if (Object.keys({ ...persistent, ...transient }).length > 0)
      await this.set(nothing(persistent), nothing(transient));
    await this.set({
      "cluster.routing.allocation.awareness.attributes": "zone",
      "cluster.routing.allocation.awareness.force.zone.values": zones.join(","),
      "cluster.routing.allocation.disk.watermark.low": "95%",
      "cluster.routing.allocation.disk.watermark.high": "97%",
      "cluster.routing.allocation.disk.watermark.flood_stage": "99%",
    });
    await this.ask("/*?expand_wildcards=all", undefined, "DELETE");
    await this.ask("/_cluster/voting_config_exclusions?wait_for_removal=false", undefined, "DELETE");
    this.accept = [];
    this.singleManager = false;
    this.writeFacts();
    this.claim("one");
    rmSync(join(this.folder, "root", this.component), { recursive: true });
    mkdirSync(join(this.folder, "root", this.component));
    this.claim("one");
  }

  /**
   * A script as a step runs it.
   *
   * @param killAfter milliseconds after which it is killed, with all that it started. @param id of its transition.
   * @param meanwhile is told its process group.
   */
  async script(
    name: string,
    words: readonly string[],
    killAfter?: number,
    id = "one",
    meanwhile?: (group: number) => Promise<void>,
  ): Promise<Ran> {
    const began = performance.now();
    const run = spawn("bash", [join(scripts, `${name}.sh`), this.component, "logs", ...words], {
      detached: true,
      env: {
        ...process.env,
        CHANGEOVER_ROOT: join(this.folder, "root"),
        CHANGEOVER_SEARCH: this.folder,
        CHANGEOVER_COMPONENT: this.component,
        CHANGEOVER_TRANSITION: "member",
        CHANGEOVER_ID: id,
      },
    });
    let out = "";
    let err = "";
    run.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
    run.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
    const timer =
      killAfter === undefined || run.pid === undefined
        ? undefined
        : setTimeout((pid: number) => process.kill(-pid, "SIGKILL"), killAfter, run.pid);
    const beside = run.pid === undefined ? undefined : meanwhile?.(-run.pid);
    const [code] = (await once(run, "close")) as [number | null];
    clearTimeout(timer);
    await beside;
    return { code, out, err, seconds: (performance.now() - began) / 1000 };
  }
}

/** A value of the tail of a receipt. */
export function told({ out }: Ran, key: string): string | undefined {
  return new RegExp(` ${key}=(\\S*)`).exec(out)?.[1];
}

let seed = 1;
/** 80 KiB that do not compress. */
function noise(): string {
  const letters = Buffer.alloc(87_381);
  for (let at = 0; at < letters.length; at += 1) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    letters[at] = 35 + ((seed >>> 16) % 56);
  }
  return letters.toString("latin1").replaceAll("\\", "~");
}

function javaHome(): string {
  return execFileSync("sh", ["-c", "dirname $(dirname $(readlink -f $(command -v java)))"], {
    encoding: "utf8",
  }).trim();
}

function once_(
  address: string,
  path: string,
  method: string,
  body: unknown,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const data = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
    const type = typeof body === "string" ? "application/x-ndjson" : "application/json";
    const sent = request(
      {
        host: address,
        port,
        path,
        method,
        headers: data === undefined ? {} : { "Content-Type": type },
        timeout: 30_000,
      },
      (answer) => {
        let text = "";
        answer.on("data", (chunk: Buffer) => (text += chunk.toString()));
        answer.on("end", () => {
          resolve({ status: answer.statusCode ?? 0, text });
        });
      },
    );
    sent.on("error", reject);
    sent.on("timeout", () => sent.destroy(new Error("late")));
    sent.end(data);
  });
}
