import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";

const scripts = join(import.meta.dirname, "..", "..", "scripts", "memcached");

/** Why there is no memcached on this machine; undefined: there is one. */
export const whyNoMemcached = (): string | undefined =>
  spawnSync("memcached", ["-V"]).status === 0 ? undefined : "this machine has no memcached";

/** An entry as a client sees it. `seconds`: until it expires; -1: never. */
export interface Entry {
  readonly key: string;
  readonly value: string;
  readonly flags: number;
  readonly seconds: number;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}

const monthSeconds = 30 * 24 * 3600;

/** A real memcached on loopback, its program and the program of a client. */
export class Memcached {
  readonly port: number;
  readonly #words: readonly string[];
  readonly #pidFile: string;

  private constructor(port: number, words: readonly string[], folder: string) {
    this.port = port;
    this.#words = words;
    this.#pidFile = join(folder, `${String(port)}.pid`);
  }

  static async start(folder: string, ...words: string[]): Promise<Memcached> {
    const made = new Memcached(await freePort(), words, folder);
    execFileSync("sh", ["-c", made.#command(words)]);
    await made.#up();
    return made;
  }

  get place(): string {
    return `127.0.0.1:${String(this.port)}`;
  }

  #command(words: readonly string[]): string {
    return `memcached -d -u root -l 127.0.0.1 -p ${String(this.port)} -U 0 -P ${this.#pidFile} ${words.join(" ")}`;
  }

  async #up(): Promise<void> {
    for (;;) {
      try {
        await this.ask("mn\r\n", /MN\r\n$/);
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  /** Words of a command that restarts it, perhaps with other words. */
  restart(...words: string[]): string[] {
    const stop = `kill -9 $(cat ${this.#pidFile}); while kill -0 $(cat ${this.#pidFile}) 2>/dev/null; do sleep 0.01; done`;
    return ["sh", "-c", `${stop}; exec ${this.#command(words.length > 0 ? words : this.#words)}`];
  }

  stop(): void {
    spawnSync("sh", ["-c", `kill -9 $(cat ${this.#pidFile})`]);
    rmSync(this.#pidFile, { force: true });
  }

  /** Send a text and read until the answer ends as told. */
  async ask(text: string, end: RegExp): Promise<string> {
    const socket = connect(this.port, "127.0.0.1");
    const chunks: Buffer[] = [];
    socket.write(text, "utf8");
    try {
      for await (const chunk of socket as AsyncIterable<Buffer>) {
        chunks.push(chunk);
        if (end.test(Buffer.concat(chunks.slice(-2)).toString("utf8"))) break;
      }
    } finally {
      socket.destroy();
    }
    return Buffer.concat(chunks).toString("utf8");
  }

  /** Store as old clients do: a life above 30 days is a point in time. */
  async set(entries: readonly Entry[]): Promise<void> {
    const life = (seconds: number) =>
      seconds < 0 ? 0 : seconds > monthSeconds ? Math.floor(Date.now() / 1000) + seconds : seconds;
    const text = entries
      .map(
        ({ key, value, flags, seconds }) =>
          `set ${key} ${String(flags)} ${String(life(seconds))} ${String(Buffer.byteLength(value))} noreply\r\n${value}\r\n`,
      )
      .join("");
    await this.ask(`${text}mn\r\n`, /MN\r\n$/);
  }

  /** What is there of keys, by key. */
  async get(keys: readonly string[]): Promise<Map<string, Entry>> {
    const answer = await this.ask(`${keys.map((key) => `mg ${key} k f t v\r\n`).join("")}mn\r\n`, /MN\r\n$/);
    const found = new Map<string, Entry>();
    for (const [, key = "", flags, seconds, value = ""] of answer.matchAll(
      /VA \d+ k(\S+) f(\d+) t(-?\d+)\r\n([^\r]*)\r\n/g,
    ))
      found.set(key, { key, value, flags: Number(flags), seconds: Number(seconds) });
    return found;
  }
}

/** The scripts that keep and move entries, on rings of this folder. */
export class Ring {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  /** The ring that the clients have. */
  write(...nodes: readonly Memcached[]): void {
    writeFileSync(join(this.folder, "c.ring"), nodes.map(({ place }) => `${place}\n`).join(""));
  }

  #run(program: string, words: readonly string[]): { code: number | null; said: string } {
    const done = spawnSync("python3", ["-I", join(scripts, program), ...words], {
      encoding: "utf8",
      env: { ...process.env, CHANGEOVER_CACHES: this.folder },
    });
    return { code: done.status, said: done.stdout + done.stderr };
  }

  keep(node: Memcached, restart = node.restart(), mib = 200) {
    return this.#run("keep.py", [node.place, String(mib), ...restart]);
  }

  before(nodes: readonly Memcached[], id = "1", seconds = 60) {
    const words = ["before", "c", String(seconds), join(this.folder, `moved-${id}`)];
    return this.#run("move.py", [...words, ...nodes.map(({ place }) => place)]);
  }

  /** The same, beside others. */
  async moving(phase: "before", nodes: readonly Memcached[]): Promise<{ code: number | null; said: string }> {
    const words = [phase, "c", "60", join(this.folder, "moved-1"), ...nodes.map(({ place }) => place)];
    const child = spawn("python3", ["-I", join(scripts, "move.py"), ...words], {
      env: { ...process.env, CHANGEOVER_CACHES: this.folder },
    });
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (data: Buffer) => (said += data.toString()));
    const [code] = (await once(child, "close")) as [number | null];
    return { code, said };
  }

  after(id = "1", settle = 0) {
    return this.#run("move.py", ["after", "c", "60", join(this.folder, `moved-${id}`), String(settle)]);
  }

  record(id = "1"): string {
    return readFileSync(join(this.folder, `moved-${id}`), "utf8");
  }

  /** By key the node that clients ask. */
  owners(nodes: readonly Memcached[], keys: readonly string[]): Map<string, Memcached> {
    const program = `
import json, sys
sys.path.insert(0, ${JSON.stringify(scripts)}); sys.dont_write_bytecode = True
from ring import Ring
places, keys = json.load(sys.stdin)
ring = Ring(places)
print(json.dumps([ring.owner(key.encode()) for key in keys]))`;
    const said = execFileSync("python3", ["-I", "-c", program], {
      input: JSON.stringify([nodes.map(({ place }) => place), keys]),
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
    });
    const places = JSON.parse(said) as string[];
    return new Map(
      keys.map((key, at) => [key, nodes.find(({ place }) => place === places[at]) as Memcached]),
    );
  }

  /** What clients with this ring find. */
  async find(nodes: readonly Memcached[], keys: readonly string[]): Promise<Map<string, Entry>> {
    const owners = this.owners(nodes, keys);
    const parts = await Promise.all(
      nodes.map((node) => node.get(keys.filter((key) => owners.get(key) === node))),
    );
    return new Map(parts.flatMap((part) => [...part]));
  }
}
