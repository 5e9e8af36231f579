import type { WriterTarget } from "../../tools/workshop/writer.ts";
import type { Estate } from "../../test/support/estate.ts";
import { RepmgrPair } from "./repmgr.ts";
import { names, put, type Tool, until } from "./tool.ts";

/** repmgr with keepalived: the address goes where the server accepts writes, and who gets it promotes. Needs no person. */
export class Keepalived implements Tool {
  readonly name = "keepalived + repmgr";
  readonly #pair: RepmgrPair;

  constructor(estate: Estate) {
    this.#pair = new RepmgrPair(estate, "vrrp", 5434, 48);
  }

  async prepare(): Promise<void> {
    const { estate, cluster, port, service } = this.#pair;
    await this.#pair.prepare("no");
    for (const name of names) {
      const values = { NAME: name, CLUSTER: cluster, PORT: String(port), SERVICE: service };
      await put(estate, name, "keepalived-check.sh", "/usr/local/bin/bench-accepts-writes", values);
      await put(estate, name, "keepalived-promote.sh", "/usr/local/bin/bench-promote", values);
      await put(estate, name, "keepalived.conf", "/etc/keepalived/keepalived.conf", values);
    }
    await this.#start(names[0], names[1]);
  }

  target(host?: string): Promise<WriterTarget> {
    return this.#pair.target(host);
  }

  switchTo(host: string): Promise<void> {
    return this.#pair.repmgr(host, "standby switchover");
  }

  rejoin(returned: string, production: string): Promise<void> {
    return this.#pair.rejoin(returned, production);
  }

  async park(standby: string, production: string): Promise<void> {
    await this.#pair.estate.on(standby, "systemctl disable --quiet --now keepalived");
    await this.#pair.estate.on(production, "systemctl disable --quiet --now keepalived");
    await this.#pair.park(standby, production);
  }

  async unpark(standby: string, production: string): Promise<void> {
    await this.#pair.unpark(standby, production);
    await this.#start(production, standby);
  }

  /** Production first: who is first gets the address, and is promoted. */
  async #start(production: string, standby: string): Promise<void> {
    const { estate, service } = this.#pair;
    await estate.on(production, "systemctl enable --quiet --now keepalived");
    await until(`${service} at ${production}`, 60, async () => {
      return (await estate.on(production, "ip -brief -4 address show dev eth0")).includes(`${service}/`);
    });
    await estate.on(standby, "systemctl enable --quiet --now keepalived");
  }
}
