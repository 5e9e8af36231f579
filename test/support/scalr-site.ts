import { spawn } from "node:child_process";
import { connect } from "node:net";
import { join } from "node:path";
import { expect } from "vitest";
import { labDir } from "../../tools/lab/lab.ts";
import type { Run } from "./engine.ts";
import { Estate } from "./estate.ts";
import { scalr, scalrHosts } from "./scalr.ts";

const demo = join(import.meta.dirname, "..", "..", "demo");
const repository = "packages";

/** What is outside of Scalr, each at an address of its own on the repository's host: the last number of it. */
const outside = { "private-rack": 61, "public-east": 62, "public-west": 63, tool: 64 } as const;
export type Outside = keyof typeof outside;
export type Cloud = Exclude<Outside, "tool">;

/** What the hosts need of Debian for the package, and the repository's host to build it. */
const debian = [
  ...["mariadb-server-core", "mariadb-client", "memcached", "nginx-light", "supervisor", "python3-pymysql"],
  ...["rpm", "dnf", "createrepo-c"],
];

/** When something was so, for who looks from outside: ms on this machine's clock. */
export interface Seen {
  readonly at: number;
  readonly database: boolean;
  readonly site: boolean;
}

/**
 * Five hosts for Scalr, prepared and without it, and one more that has packages of it in a repository for apt and dnf.
 */
export class ScalrSite {
  readonly estate: Estate;
  #config: Record<string, unknown> = {};
  readonly seen: Seen[] = [];
  readonly #cutOff = new Set<string>();
  #watching = false;
  #watch: Promise<void> = Promise.resolve();

  private constructor(estate: Estate) {
    this.estate = estate;
  }

  static async start(versions: readonly string[], more: readonly string[] = []): Promise<ScalrSite> {
    const estate = await Estate.start([...Object.keys(scalrHosts), repository], [...debian, ...more]);
    const site = new ScalrSite(estate);
    await site.#copy(repository);
    await site.offer(...versions);
    await estate.on(
      repository,
      "systemd-run --quiet --unit=serve-packages python3 -m http.server 8000 --directory /srv/packages",
    );
    await site.mendOutside();
    await Promise.all(Object.keys(scalrHosts).map((host) => site.#prepare(host)));
    site.set({});
    return site;
  }

  /** Have versions in the repository, besides those that are there. */
  async offer(...versions: readonly string[]): Promise<void> {
    await this.estate.on(
      repository,
      `mkdir -p /srv/packages && cd /srv/demo/scalr && bash build.sh /srv/packages ${versions.join(" ")} && bash repository.sh /srv/packages`,
      200,
    );
  }

  async withdraw(version: string): Promise<void> {
    await this.estate.on(
      repository,
      `cd /srv && rm packages/*${version}* && bash demo/scalr/repository.sh packages`,
      60,
    );
  }

  /** What the stack file says of Scalr from now on, with what was said before. */
  set(change: Readonly<Record<string, unknown>>): void {
    this.#config = { ...this.#config, ...change };
    this.estate.config = { pairs: {}, stagedUpgrades: { scalr: scalr(this.#config) } };
    this.estate.write();
  }

  /** The version that the stack file wants. */
  get version(): string {
    return scalr(this.#config).version;
  }

  /** An upgrade of five hosts takes longer than what the engine's tests have. */
  up(...args: readonly string[]): Promise<Run> {
    return this.estate.project.pulumi(["up", "--yes", "--skip-preview", ...args], 400);
  }

  /** Every host has a version, and all services of its role run. */
  async healthyAt(version: string): Promise<void> {
    expect(await this.installed()).toEqual(
      Object.fromEntries(Object.keys(scalrHosts).map((host) => [host, version])),
    );
    expect(await this.notRunning()).toEqual([]);
  }

  /** Which scripts of the upgrade that has claimed a host have begun on it: `package@scalr-db`. */
  async begun(): Promise<string[]> {
    const command = `cd /var/lib/changeover/scalr && id=$(sed -n 's/^id=//p' claim) && cd runs && ls -d "$id"-upgrade-*/ 2>/dev/null | sed "s/^$id-upgrade-//; s|/$||; s/^smoke-.*/smoke/" || true`;
    const all = await Promise.all(
      Object.keys(scalrHosts).map(async (host) => {
        const lines = (await this.estate.on(host, command)).split("\n").filter(Boolean);
        return lines.map((script) => `${script}@${host}`);
      }),
    );
    return all.flat();
  }

  address(host: keyof typeof scalrHosts): string {
    return this.estate.host(host).address;
  }

  outside(name: Outside): string {
    return this.estate.subnet.replace(/\.0\/24$/, `.${String(outside[name])}`);
  }

  /** All that is outside runs, knows its keys, has its images and is reached. */
  async mendOutside(): Promise<void> {
    const words = (Object.keys(outside) as Outside[]).map((name) => `${name}=${this.outside(name)}`);
    await this.estate.on(repository, `bash /srv/demo/scalr/outside/outside.sh eth0 ${words.join(" ")}`);
    for (const host of this.#cutOff) await this.estate.on(host, "nft delete table ip cut_off");
    this.#cutOff.clear();
  }

  async stopOutside(name: Outside): Promise<void> {
    await this.estate.on(repository, `systemctl stop outside-${name}`);
  }

  async revokeKey(name: Outside): Promise<void> {
    await this.#tell(name, { keys: {} });
  }

  async withdrawImages(name: Cloud, left: readonly string[]): Promise<void> {
    await this.#tell(name, { images: left });
  }

  /** It takes requests to what begins so, and never answers. */
  async hang(name: Outside, path: string): Promise<void> {
    await this.#tell(name, { hang: [path] });
  }

  /** What a host sends there is lost. */
  async cutOff(host: keyof typeof scalrHosts, name: Outside): Promise<void> {
    this.#cutOff.add(host);
    const chain = "add chain ip cut_off out { type filter hook output priority 0; }";
    const rule = `add rule ip cut_off out ip daddr ${this.outside(name)} drop`;
    await this.estate.on(host, `nft 'add table ip cut_off; ${chain}; ${rule}'`);
  }

  /** The instances and nodes that are there, as those tell who have them. */
  async made(): Promise<string[]> {
    const all = await Promise.all(
      (Object.keys(outside) as Outside[]).map(async (name) => {
        const shown = await this.#outside(`show /var/lib/outside/${name}`);
        const { instances = {}, nodes = {} } = JSON.parse(shown) as Record<string, object | undefined>;
        return [...Object.keys(instances), ...Object.keys(nodes)].map((one) => `${name} ${one}`);
      }),
    );
    return all.flat();
  }

  /** Who has asked for what: a line a request. */
  asked(name: Outside): Promise<string> {
    return this.estate.on(repository, `journalctl -q -o cat -u outside-${name}`);
  }

  #tell(name: Outside, change: Readonly<Record<string, unknown>>): Promise<string> {
    return this.#outside(`tell /var/lib/outside/${name} <<<'${JSON.stringify(change)}'`);
  }

  #outside(words: string): Promise<string> {
    return this.estate.on(repository, `python3 /srv/demo/scalr/outside/outside.py ${words}`);
  }

  /** Which version each host has, by its own package system. */
  async installed(): Promise<Record<string, string>> {
    const deb = "dpkg-query -Wf '${Version}' scalr-server";
    const rpm = "rpm -q --qf '%{VERSION}-%{RELEASE}' scalr-server";
    const entries = Object.keys(scalrHosts).map(async (host): Promise<[string, string]> => [
      host,
      (await this.estate.on(host, `${host === "scalr-proxy" ? rpm : deb} 2>/dev/null || echo none`)).trim(),
    ]);
    return Object.fromEntries(await Promise.all(entries));
  }

  /** Services that are not RUNNING, host by host. */
  async notRunning(): Promise<string[]> {
    const all = await Promise.all(
      Object.keys(scalrHosts).map((host) =>
        this.estate.on(host, "scalr-server-manage status | awk '$2 != \"RUNNING\" { print $1, $2 }'"),
      ),
    );
    return all.flatMap((text) => text.trim().split("\n").filter(Boolean));
  }

  /** The answer of the main database. */
  async sql(statement: string): Promise<string> {
    const client =
      "/opt/scalr-server/embedded/bin/mysql --defaults-extra-file=/etc/scalr-server/backup.cnf -BN";
    return (await this.estate.on("scalr-db", `${client} -e "${statement}"`)).trim();
  }

  /** Look from outside whether the database takes connections and the site answers from it, ten times a second. */
  watch(): void {
    this.#watching = true;
    const proxy = `http://${this.address("scalr-proxy")}/farms`;
    this.#watch = (async () => {
      while (this.#watching) {
        const at = performance.now();
        const [database, site] = await Promise.all([takes(this.address("scalr-db"), 3306), answers(proxy)]);
        this.seen.push({ at, database, site });
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    })();
  }

  async stopWatching(): Promise<{ database: number; site: number }> {
    this.#watching = false;
    await this.#watch;
    const seen = this.seen.splice(0);
    return { database: outage(seen, "database"), site: outage(seen, "site") };
  }

  async stop(): Promise<void> {
    this.#watching = false;
    await this.#watch;
    await this.estate.stop();
  }

  async #prepare(host: string): Promise<void> {
    const role = scalrHosts[host as keyof typeof scalrHosts];
    const apps = `${this.address("scalr-app1")} ${this.address("scalr-app2")}`;
    const clouds = (["private-rack", "public-east", "public-west"] as const).map(
      (name) => `${name}=http://${this.outside(name)}:9000`,
    );
    const tool = `http://${this.outside("tool")}:9000`;
    const source = `http://${this.estate.host(repository).address}:8000`;
    await this.#copy(host);
    await this.estate.on(
      host,
      `set -e
systemctl disable --quiet --now nginx supervisor memcached 2>/dev/null || true
mkdir -p /etc/scalr-server /opt/scalr-server
printf 'role=%s\\nmain=%s\\nsecret=of-all-hosts\\napps=%s\\n' ${role} ${this.address("scalr-db")} '${apps}' >/etc/scalr-server/scalr-server.conf
printf 'clouds=%s\\ntool=%s\\ntool_key=key-of-the-tool\\n' '${clouds.join(" ")}' ${tool} >>/etc/scalr-server/scalr-server.conf
chmod 0600 /etc/scalr-server/scalr-server.conf
rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*
echo 'deb [trusted=yes] ${source}/ ./' >/etc/apt/sources.list
bash /srv/demo/scalr/rpm-host.sh /srv/packages
sed -i 's|^baseurl=.*|baseurl=${source}|' /etc/yum.repos.d/scalr.repo`,
      100,
    );
  }

  /** The demonstration's files on a host. */
  async #copy(host: string): Promise<void> {
    await this.estate.on(host, "mkdir -p /srv/demo");
    const config = join(labDir(this.estate.lab), "ssh_config");
    const line = `tar -C '${demo}' -c scalr | ssh -F '${config}' -o BatchMode=yes ${host} tar -C /srv/demo -x`;
    const child = spawn("bash", ["-o", "pipefail", "-c", line], { stdio: ["ignore", "ignore", "inherit"] });
    const code = await new Promise((resolve) => child.on("close", resolve));
    if (code !== 0) throw new Error(`demo/scalr did not get to ${host}: tar ended with ${String(code)}`);
  }
}

/** Seconds from the first look that failed to the first good one after the last that failed. */
function outage(seen: readonly Seen[], what: "database" | "site"): number {
  const first = seen.findIndex((look) => !look[what]);
  const last = seen.findLastIndex((look) => !look[what]);
  const [from, to] = [seen[first], seen[last + 1]];
  return from ? ((to?.at ?? Infinity) - from.at) / 1000 : 0;
}

const takes = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 2000 });
    const end = (taken: boolean) => () => {
      socket.destroy();
      resolve(taken);
    };
    socket.once("connect", end(true)).once("error", end(false)).once("timeout", end(false));
  });

async function answers(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(2000) });
    await answer.text();
    return answer.status === 200;
  } catch {
    return false;
  }
}
