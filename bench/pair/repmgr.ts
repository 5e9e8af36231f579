import { ssh } from "../../tools/workshop/lab/lab.ts";
import type { WriterTarget } from "../../tools/workshop/writer.ts";
import type { Estate } from "../../test/support/estate.ts";
import { addressOf, names, onBoth, other, put, sql, type Tool, until } from "./tool.ts";

const makeKey = `mkdir -p ~postgres/.ssh && { [ -e ~postgres/.ssh/id_ed25519 ] || ssh-keygen -q -t ed25519 -N '' -f ~postgres/.ssh/id_ed25519; } && cat ~postgres/.ssh/id_ed25519.pub`;

/** A pair of repmgr's, without its address: who moves that differs. */
export class RepmgrPair {
  readonly estate: Estate;
  readonly cluster: string;
  readonly port: number;
  readonly service: string;

  constructor(estate: Estate, cluster: string, port: number, octet: number) {
    this.estate = estate;
    this.cluster = cluster;
    this.port = port;
    this.service = addressOf(estate, octet);
  }

  target(host?: string): Promise<WriterTarget> {
    const address = host === undefined ? this.service : this.estate.host(host).address;
    return Promise.resolve({
      host: address,
      port: this.port,
      database: "bench",
      user: "bench",
      password: "none",
    });
  }

  /** @param hook `yes` when repmgr's own event moves the address. */
  async prepare(hook: "yes" | "no"): Promise<void> {
    const keys = (await onBoth(this.estate, makeKey)).join("");
    await onBoth(
      this.estate,
      `cat >>~postgres/.ssh/authorized_keys <<'END'\n${keys}END\nchown -R postgres: ~postgres/.ssh`,
    );
    for (const [index, name] of names.entries()) {
      await put(this.estate, name, "repmgr-node.sh", "/root/repmgr-node.sh");
      const [self, peer] = [this.estate.host(name).address, this.estate.host(other(name)).address];
      const words = [this.cluster, this.port, index + 1, self, peer, this.service, hook];
      const role = index === 0 ? "primary" : "standby";
      await this.estate.on(name, `bash /root/repmgr-node.sh ${words.join(" ")} ${role}`, 120);
    }
  }

  /** Runs repmgr on a host as a person would. */
  async repmgr(host: string, words: string, seconds = 120): Promise<void> {
    const command = `cd / && runuser -u postgres -- repmgr -f /etc/repmgr-${this.cluster}.conf ${words}`;
    const { code, stderr, stdout } = await ssh(this.estate.lab, host, command, seconds);
    if (code !== 0)
      throw new Error(`repmgr ${words} on ${host} ended with ${String(code)}: ${stderr}${stdout}`);
  }

  /** After a boot the old server runs by itself, on a timeline that nobody follows. */
  async rejoin(returned: string, production: string): Promise<void> {
    await this.estate.on(returned, `systemctl stop postgresql@15-${this.cluster}`, 60);
    const { address } = this.estate.host(production);
    const conninfo = `host=${address} port=${this.port} user=repmgr dbname=repmgr connect_timeout=2`;
    await this.repmgr(returned, `node rejoin --force-rewind -d '${conninfo}'`);
  }

  async park(standby: string, production: string): Promise<void> {
    const off = `echo manual >/etc/postgresql/15/${this.cluster}/start.conf; systemctl stop postgresql@15-${this.cluster}`;
    for (const host of [production, standby]) await this.estate.on(host, off, 60);
  }

  async unpark(standby: string, production: string): Promise<void> {
    const on = `echo auto >/etc/postgresql/15/${this.cluster}/start.conf; systemctl start postgresql@15-${this.cluster}`;
    for (const host of [production, standby]) await this.estate.on(host, on, 60);
    await until(`${this.cluster} on ${production} to accept writes`, 60, async () => {
      return (await sql(this.estate, production, this.port, "select pg_is_in_recovery()")) === "f";
    });
  }
}

/** repmgr by hand: a person orders, and its event on promotion moves the address. */
export class Repmgr implements Tool {
  readonly name = "repmgr by hand";
  readonly #pair: RepmgrPair;

  constructor(estate: Estate) {
    this.#pair = new RepmgrPair(estate, "repmgr", 5433, 47);
  }

  prepare(): Promise<void> {
    return this.#pair.prepare("yes");
  }

  target(host?: string): Promise<WriterTarget> {
    return this.#pair.target(host);
  }

  switchTo(host: string): Promise<void> {
    return this.#pair.repmgr(host, "standby switchover");
  }

  readonly takeOver = (_dead: string, survivor: string): Promise<void> =>
    this.#pair.repmgr(survivor, "standby promote");

  rejoin(returned: string, production: string): Promise<void> {
    return this.#pair.rejoin(returned, production);
  }

  async park(standby: string, production: string): Promise<void> {
    await this.#pair.park(standby, production);
    await onBoth(this.#pair.estate, `ip address del ${this.#pair.service}/32 dev eth0 2>/dev/null || true`);
  }

  /** Nothing of repmgr's puts the address back after a boot; here nobody is measured by it. */
  async unpark(standby: string, production: string): Promise<void> {
    await this.#pair.unpark(standby, production);
    const { estate, service } = this.#pair;
    await estate.on(
      production,
      `ip address replace ${service}/32 dev eth0 && arping -q -c 1 -U -I eth0 ${service}`,
    );
  }
}
