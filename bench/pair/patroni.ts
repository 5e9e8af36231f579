import { hostUp, ssh } from "../../tools/workshop/lab/lab.ts";
import type { WriterTarget } from "../../tools/workshop/writer.ts";
import type { Estate } from "../../test/support/estate.ts";
import { addressOf, names, onBoth, put, sql, streams, type Tool, until } from "./tool.ts";

const cluster = "patroni";
const port = 5435;
const unit = `patroni@15-${cluster}`;
const judge = "judge";

export const packages = ["patroni", "python3-etcd", "etcd-server", "etcd-client"];

/**
 * Patroni as Debian packages it, with etcd on both hosts and on a small third one: with fewer members the death of one
 * machine could stop the pair. Its callback moves the address, which is the fastest of the usual ways.
 */
export class Patroni implements Tool {
  readonly name = "patroni";
  readonly #estate: Estate;
  readonly #extra: readonly string[];
  readonly #service: string;
  #judge = "";

  constructor(estate: Estate, extra: readonly string[]) {
    this.#estate = estate;
    this.#extra = extra;
    this.#service = addressOf(estate, 49);
  }

  async prepare(): Promise<void> {
    this.#judge = (await hostUp(this.#estate.lab, judge, this.#extra)).address;
    await this.#prepareEtcd();
    for (const name of names) {
      await put(this.#estate, name, "patroni.yml", `/etc/patroni/15-${cluster}.yml`, {
        CLUSTER: cluster,
        NAME: name,
        SELF: this.#address(name),
        PORT: String(port),
        NETWORK: this.#estate.subnet,
        ETCD: [...names, judge].map((host) => `${this.#address(host)}:2379`).join(","),
      });
      const values = { SERVICE: this.#service };
      await put(this.#estate, name, "patroni-callback.sh", "/usr/local/bin/bench-follow-leader", values);
    }
    await onBoth(this.#estate, "echo 'postgres ALL=(root) NOPASSWD: ALL' >/etc/sudoers.d/bench");
    await this.#start(names[0], names[1]);
    for (const statement of ["create user bench superuser", "create database bench owner bench"])
      await sql(this.#estate, names[0], port, statement);
  }

  target(host?: string): Promise<WriterTarget> {
    const address = host === undefined ? this.#service : this.#address(host);
    return Promise.resolve({ host: address, port, database: "bench", user: "bench", password: "none" });
  }

  async switchTo(host: string): Promise<void> {
    const command = `patronictl -c /etc/patroni/15-${cluster}.yml switchover --candidate ${host} --force`;
    const { code, stdout, stderr } = await ssh(this.#estate.lab, host, command, 120);
    if (code !== 0 || !stdout.includes("Successfully switched over"))
      throw new Error(`patronictl on ${host} ended with ${code}: ${stderr}${stdout}`);
  }

  /** Patroni does it itself. */
  async rejoin(_returned: string, production: string): Promise<void> {
    await this.#complete(production);
  }

  /** The standby first: it would take over from a leader that stops. */
  async park(standby: string, production: string): Promise<void> {
    await this.#estate.on(standby, `systemctl disable --quiet --now ${unit}`, 60);
    await this.#estate.on(production, `systemctl disable --quiet --now ${unit}`, 60);
    await this.#etcd("disable");
  }

  async unpark(standby: string, production: string): Promise<void> {
    await this.#etcd("enable");
    await this.#start(production, standby);
  }

  async #prepareEtcd(): Promise<void> {
    const hosts = [...names, judge];
    const members = hosts.map((host) => `${host}=http://${this.#address(host)}:2380`).join(",");
    for (const host of hosts) {
      await this.#onAny(host, "systemctl disable --quiet --now etcd; rm -rf /var/lib/etcd/default");
      const values = { NAME: host, SELF: this.#address(host), MEMBERS: members };
      await put(this.#estate, host, "etcd.default", "/etc/default/etcd", values);
    }
    await this.#etcd("enable");
  }

  /** All at once: a member is up when most of them are. */
  async #etcd(verb: "enable" | "disable"): Promise<void> {
    await Promise.all(
      [...names, judge].map((host) => this.#onAny(host, `systemctl ${verb} --quiet --now etcd`)),
    );
  }

  async #start(production: string, standby: string): Promise<void> {
    await this.#estate.on(production, `systemctl enable --quiet --now ${unit}`);
    await until(`${production} to be the leader`, 90, async () => {
      return (await sql(this.#estate, production, port, "select pg_is_in_recovery()")) === "f";
    });
    await this.#estate.on(standby, `systemctl enable --quiet --now ${unit}`);
    await this.#complete(production);
  }

  async #complete(production: string): Promise<void> {
    await until("Patroni's standby to stream", 120, () => streams(this.#estate, production, port));
  }

  #address(host: string): string {
    return host === judge ? this.#judge : this.#estate.host(host).address;
  }

  #onAny(host: string, command: string): Promise<string> {
    return this.#estate.on(host, command, 60);
  }
}
