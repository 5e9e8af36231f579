import { reboot } from "../../tools/workshop/lab/lab.ts";
import type { WriterTarget } from "../../tools/workshop/writer.ts";
import type { Estate } from "../../test/support/estate.ts";
import { names, onBoth, type Tool } from "./tool.ts";

const services = "changeover-watch-sounz changeover-peer-sounz";

/** This program, as its operator uses it: a changed line in the config, and `pulumi up`. */
export class Changeover implements Tool {
  readonly name = "changeover";
  readonly #estate: Estate;

  constructor(estate: Estate) {
    this.#estate = estate;
  }

  async prepare(): Promise<void> {
    this.#estate.fences = true;
    this.#estate.write();
    await this.#up();
  }

  target(host?: string): Promise<WriterTarget> {
    return this.#estate.database(host && this.#estate.host(host).address);
  }

  async switchTo(host: string): Promise<void> {
    this.#estate.flip(host);
    await this.#up();
  }

  readonly takeOver = async (dead: string, survivor: string): Promise<void> => {
    this.#estate.without(dead);
    await this.switchTo(survivor);
  };

  async rejoin(): Promise<void> {
    this.#estate.without();
    await this.#up();
  }

  async park(): Promise<void> {
    await onBoth(
      this.#estate,
      `systemctl disable --quiet --now ${services}; systemctl stop postgresql@15-sounz`,
    );
    await onBoth(
      this.#estate,
      `ip address del ${this.#estate.serviceAddress}/32 dev eth0 2>/dev/null || true`,
    );
  }

  /** Its watch starts the server after a boot, and only then: so the hosts boot. */
  async unpark(): Promise<void> {
    await onBoth(this.#estate, `systemctl enable --quiet ${services}`);
    await Promise.all(names.map((name) => reboot(this.#estate.lab, name)));
  }

  async #up(): Promise<void> {
    const { code, output } = await this.#estate.up();
    if (code !== 0) throw new Error(output);
  }
}
