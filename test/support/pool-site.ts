import { join } from "node:path";
import { archivePath, packDemoReleases } from "../../tools/workshop/demo-releases.ts";
import { Load, type LoadReport } from "../../tools/workshop/load.ts";
import { Estate } from "./estate.ts";
import { ok } from "./runs.ts";

const root = join(import.meta.dirname, "..", "..");

/** Looks at HAProxy 20 times a second. While a reload replaces its socket there is nothing to see. */
const fewest = `
import socket, time
least = 10**6
while True:
    try:
        s = socket.socket(socket.AF_UNIX); s.settimeout(2); s.connect("/run/haproxy/admin.sock"); s.sendall(b"show stat\\n")
        rows = [line.split(",") for line in b"".join(iter(lambda: s.recv(65536), b"")).decode().splitlines()]
        at = rows[0].index("status")
        states = [(row[1], row[at]) for row in rows[1:] if len(row) > at and row[1] not in ("FRONTEND", "BACKEND")]
        up = sum(status.startswith("UP") for _, status in states)
        if up < least:
            least = up
            open("/run/fewest", "w").write(str(least))
            print(time.strftime("%T"), least, states, flush=True)
    except (OSError, IndexError, ValueError):
        pass
    time.sleep(0.05)
`.trim();

/** Notes each program that was seen to listen on port 80, together where it was together. */
const listeners = `
import re, subprocess, time
while True:
    said = subprocess.run(["ss", "-Hltnp", "sport = :80"], capture_output=True, text=True).stdout
    names = sorted(set(re.findall('"([a-z0-9]+)"', said)))
    open("/run/listeners", "a").write("+".join(names) + "\\n")
    time.sleep(0.02)
`.trim();

/** A pool of the demo application on machines of its own, with users who ask it all the time. */
export class PoolSite {
  /** How long users go on after an act, since requests that began during the act may be slow. */
  static readonly lingerSeconds = 2.5;
  readonly estate: Estate;
  readonly balancers: readonly string[];
  readonly servers: readonly string[];
  pool: Record<string, unknown>;
  #load: Load | undefined;

  private constructor(estate: Estate, balancers: readonly string[], servers: readonly string[]) {
    this.estate = estate;
    this.balancers = balancers;
    this.servers = servers;
    const { sha256 } = packDemoReleases();
    this.pool = {
      balancers,
      servers: Object.fromEntries(servers.map((name) => [name, "in"])),
      minHealthy: Math.min(2, servers.length - 1),
      groupSize: 2,
      readySeconds: 5,
      upSeconds: 10,
      bakeSeconds: 2,
      drain: { seconds: 20 },
      release: "4684",
      releases: Object.fromEntries(
        Object.entries(sha256).map(([name, sum]) => [
          name,
          { archive: join(root, archivePath(name)), sha256: sum },
        ]),
      ),
    };
  }

  /** A pool on machines that are there; nothing is made of it yet. */
  static over(estate: Estate, balancers: readonly string[], servers: readonly string[]): PoolSite {
    return new PoolSite(estate, balancers, servers);
  }

  /** Boot the machines and make the pool; the first release serves when it returns. */
  static async start(
    balancers: readonly string[] = ["websvr", "websvr2"],
    servers: readonly string[] = ["prodapp01", "prodapp02", "prodapp03", "prodapp04"],
    change: Record<string, unknown> = {},
    more: { hosts?: readonly string[]; packages?: readonly string[]; config?: Record<string, unknown> } = {},
  ): Promise<PoolSite> {
    const estate = await Estate.start([...balancers, ...servers, ...(more.hosts ?? [])], more.packages ?? []);
    const site = PoolSite.over(estate, balancers, servers);
    site.set(change, more.config);
    ok(await estate.up());
    return site;
  }

  /** Change the pool's config for the next run. */
  set(change: Record<string, unknown>, more: Record<string, unknown> = {}): void {
    this.pool = { ...this.pool, ...change };
    this.estate.config = { pairs: {}, appPools: { crossbow: this.pool }, ...more };
    this.estate.write();
  }

  /** Where users ask: every balancer. */
  get targets(): string[] {
    return this.balancers.map((name) => `http://${this.estate.host(name).address}`);
  }

  /** Users from now on: 200 requests a second over kept connections, 1 % of them slow. */
  async users(perSecond = 200): Promise<Load> {
    this.#load = new Load({ targets: this.targets, perSecond });
    await this.#load.start();
    return this.#load;
  }

  /** What users saw during an act. */
  async seen(act: () => Promise<unknown>): Promise<LoadReport> {
    const load = this.#load ?? (await this.users());
    const mark = load.mark();
    await act();
    await new Promise((resolve) => setTimeout(resolve, PoolSite.lingerSeconds * 1000));
    return load.since(mark);
  }

  /** The release that each server runs. */
  async running(): Promise<Record<string, string>> {
    const read = async (name: string): Promise<[string, string]> => [
      name,
      (
        await this.estate.on(name, "basename $(readlink -f /deploy/crossbow/current) 2>/dev/null || true")
      ).trim(),
    ];
    return Object.fromEntries(await Promise.all(this.servers.map(read)));
  }

  /** The state of each server at one balancer, in HAProxy's words. */
  async states(balancer = this.balancers[0] ?? ""): Promise<Record<string, string>> {
    const stat = await this.estate.on(
      balancer,
      `python3 -c "
import socket
s = socket.socket(socket.AF_UNIX); s.connect('/run/haproxy/admin.sock'); s.sendall(b'show stat\\n')
print(b''.join(iter(lambda: s.recv(65536), b'')).decode())"`,
    );
    const rows = stat.split("\n").map((line) => line.split(","));
    const status = rows[0]?.indexOf("status") ?? -1;
    return Object.fromEntries(
      rows
        .filter(([, server]) => server !== undefined && this.servers.includes(server))
        .map((row) => [row[1] ?? "", row[status] ?? ""]),
    );
  }

  /** Have each balancer note from now on the fewest servers that it had up at once. */
  async watchHealthy(): Promise<void> {
    await Promise.all(
      this.balancers.map((name) =>
        this.estate.on(
          name,
          `systemctl stop fewest 2>/dev/null; rm -f /run/fewest; systemd-run --quiet --collect --unit=fewest python3 -c '${fewest}'`,
        ),
      ),
    );
  }

  /** The fewest servers that any of these balancers had up at once since then. */
  async fewestHealthy(balancers = this.balancers): Promise<number> {
    const noted = await Promise.all(balancers.map((name) => this.estate.on(name, "cat /run/fewest")));
    return Math.min(...noted.map(Number));
  }

  /** Have each balancer note from now on who listens for users, and who together. */
  async watchListeners(): Promise<void> {
    const watch = `cat >/run/listeners.py <<'LISTENERS_ENDS'\n${listeners}\nLISTENERS_ENDS\nsystemd-run --quiet --collect --unit=listeners python3 /run/listeners.py`;
    await Promise.all(this.balancers.map((name) => this.estate.on(name, watch)));
  }

  /** Everything noted since then, each once. */
  async listeners(): Promise<string[]> {
    const noted = this.balancers.map((name) => this.estate.on(name, "sort -u /run/listeners"));
    return [...new Set((await Promise.all(noted)).flatMap((text) => text.trim().split("\n")))];
  }

  async stop(): Promise<void> {
    await this.#load?.stop();
    await this.estate.stop();
  }
}
