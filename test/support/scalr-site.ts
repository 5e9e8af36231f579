import { spawn } from "node:child_process";
import { join } from "node:path";
import { expect } from "vitest";
import { labDir } from "../../tools/workshop/lab/lab.ts";
import { type Away, Outage } from "../../tools/workshop/outage.ts";
import type { Run } from "./engine.ts";
import { Estate } from "./estate.ts";
import { scalr, scalrDebian, scalrHosts } from "./scalr.ts";

const demo = join(import.meta.dirname, "..", "..", "demo");
const repository = "packages";

/** The stand-ins outside of Scalr on the repository's host, by the last octet of their addresses. */
const outside = { "private-rack": 61, "public-east": 62, "public-west": 63, tool: 64 } as const;
export type Outside = keyof typeof outside;
export type Cloud = Exclude<Outside, "tool">;

/** Five hosts without Scalr, and one host with its packages in a repository for apt and dnf. */
export class ScalrSite {
  readonly estate: Estate;
  #config: Record<string, unknown> = {};
  readonly #outage: Outage;
  readonly #cutOff = new Set<string>();

  private constructor(estate: Estate) {
    this.estate = estate;
    this.#outage = new Outage({
      database: { host: this.address("scalr-db"), port: 3306 },
      site: `http://${this.address("scalr-proxy")}/farms`,
    });
  }

  static async start(versions: readonly string[], more: readonly string[] = []): Promise<ScalrSite> {
    const estate = await Estate.start([...Object.keys(scalrHosts), repository], [...scalrDebian, ...more]);
    const site = new ScalrSite(estate);
    await site.#copyTo(repository);
    await site.offer(...versions);
    await estate.on(
      repository,
      "systemd-run --quiet --unit=serve-packages python3 -m http.server 8000 --directory /srv/packages",
    );
    await site.mendOutside();
    await Promise.all(Object.keys(scalrHosts).map((host) => site.#nameOutside(host)));
    site.set({});
    return site;
  }

  /** Add versions to the repository. */
  async offer(...versions: readonly string[]): Promise<void> {
    await this.estate.on(
      repository,
      `mkdir -p /srv/packages && cd /srv/demo/scalr && bash build.sh /srv/packages ${versions.join(" ")} && bash repository.sh /srv/packages`,
      200,
    );
  }

  /** Change keys of Scalr in the stack file; undefined removes a key. */
  set(change: Readonly<Record<string, unknown>>): void {
    const all = Object.entries({ ...this.#config, ...change }).filter(([, value]) => value !== undefined);
    this.#config = Object.fromEntries(all);
    this.estate.config = { pairs: {}, stagedUpgrades: { scalr: scalr(this.#config) } };
    this.estate.write();
  }

  /** The version that the stack file wants. */
  get version(): string {
    return scalr(this.#config).version;
  }

  /** `pulumi up` with a longer limit than the engine's tests have. */
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

  /** The scripts of the last claimed upgrade that have begun, with their hosts: `install-package@scalr-db`. */
  async begun(): Promise<string[]> {
    const command = `cd /var/lib/changeover/scalr && id=$(sed -n 's/^id=//p' claim) && sed -n 's/^epoch=//p' claim && cd runs && ls -d "$id"-upgrade-*/ 2>/dev/null | sed "s/^$id-upgrade-//; s|/$||; s/^run-smoke-test-.*/run-smoke-test/" || true`;
    const all = await Promise.all(
      Object.keys(scalrHosts).map(async (host) => {
        const [epoch, ...scripts] = (await this.estate.on(host, command)).split("\n").filter(Boolean);
        return { epoch: Number(epoch), begun: scripts.map((script) => `${script}@${host}`) };
      }),
    );
    // A host whose claim failed still has the records of the previous upgrade.
    const last = Math.max(...all.map(({ epoch }) => epoch));
    return all.filter(({ epoch }) => epoch === last).flatMap(({ begun }) => begun);
  }

  address(host: keyof typeof scalrHosts): string {
    return this.estate.host(host).address;
  }

  outside(name: Outside): string {
    return this.estate.subnet.replace(/\.0\/24$/, `.${String(outside[name])}`);
  }

  /** All stand-ins run, accept their keys, have their images and are reachable. */
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

  /** Requests to paths with this prefix never get an answer. */
  async hang(name: Outside, path: string): Promise<void> {
    await this.#tell(name, { hang: [path] });
  }

  /** Drop what a host sends to a stand-in. */
  async cutOff(host: keyof typeof scalrHosts, name: Outside): Promise<void> {
    this.#cutOff.add(host);
    const chain = "add chain ip cut_off out { type filter hook output priority 0; }";
    const rule = `add rule ip cut_off out ip daddr ${this.outside(name)} drop`;
    await this.estate.on(host, `nft 'add table ip cut_off; ${chain}; ${rule}'`);
  }

  /** The instances and nodes of all stand-ins. */
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

  /** The requests to a stand-in, one line each. */
  asked(name: Outside): Promise<string> {
    return this.estate.on(repository, `journalctl -q -o cat -u outside-${name}`);
  }

  #tell(name: Outside, change: Readonly<Record<string, unknown>>): Promise<string> {
    return this.#outside(`tell /var/lib/outside/${name} <<<'${JSON.stringify(change)}'`);
  }

  #outside(words: string): Promise<string> {
    return this.estate.on(repository, `python3 /srv/demo/scalr/outside/outside.py ${words}`);
  }

  /** The version on each host, by its own package system. */
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

  /** Start watching from outside whether the database accepts connections and the site answers. */
  watch(): void {
    this.#outage.start();
  }

  stopWatching(): Promise<Away> {
    return this.#outage.stop();
  }

  async stop(): Promise<void> {
    await this.#outage.stop();
    await this.estate.stop();
  }

  /** Settings without which a host would build its own packages, and the proxy would run the stand-ins. */
  async #nameOutside(host: string): Promise<void> {
    const clouds = (["private-rack", "public-east", "public-west"] as const).map(
      (name) => `${name}=http://${this.outside(name)}:9000`,
    );
    const settings = [
      `repository=http://${this.estate.host(repository).address}:8000`,
      `clouds=${clouds.join(" ")}`,
      ...[`tool=http://${this.outside("tool")}:9000`, "tool_key=key-of-the-tool", ""],
    ].join("\n");
    await this.estate.on(
      host,
      `mkdir -p /etc/scalr-server && echo '${settings}' >/etc/scalr-server/site.conf`,
    );
  }

  /** The demonstration's files on a host. */
  async #copyTo(host: string): Promise<void> {
    await this.estate.on(host, "mkdir -p /srv/demo");
    const config = join(labDir(this.estate.lab), "ssh_config");
    const line = `tar -C '${demo}' -c scalr | ssh -F '${config}' -o BatchMode=yes ${host} tar -C /srv/demo -x`;
    const child = spawn("bash", ["-o", "pipefail", "-c", line], { stdio: ["ignore", "ignore", "inherit"] });
    const code = await new Promise((resolve) => child.on("close", resolve));
    if (code !== 0) throw new Error(`demo/scalr did not get to ${host}: tar ended with ${String(code)}`);
  }
}
