import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { ssh } from "../../tools/lab/lab.ts";
import type { Estate } from "../../test/support/estate.ts";

/** What the control node needs besides a plain local host: packages for `Estate.start`. */
export const packages = ["ansible"];

/** The pool that is updated, on hosts that this program has made an app pool. */
export interface Pool {
  readonly name: string;
  readonly balancers: readonly string[];
  readonly servers: readonly string[];
  readonly owner: string;
  readonly port: number;
  /** In a release: to below `shared/`. */
  readonly links: Readonly<Record<string, string>>;
}

/** How an update ended. */
export interface Rolled {
  readonly seconds: number;
  readonly code: number;
  readonly output: string;
}

const folder = "/root/ansible";
const limitSeconds = 900;

const configuration = `[defaults]
inventory = ${folder}/hosts
interpreter_python = /usr/bin/python3
forks = 5
retry_files_enabled = false
nocows = true
[ssh_connection]
pipelining = true
ssh_args = -o ControlMaster=auto -o ControlPersist=60s
control_path = /root/.ansible-%%h
`;

/**
 * Debian's Ansible on a host of the estate as control node, and a rolling update with `community.general.haproxy`:
 * drain and wait, one server at a time.
 */
export class Ansible {
  readonly name = "ansible";
  readonly #estate: Estate;
  readonly #control: string;
  readonly #pool: Pool;

  /** @param control the name of the host that runs the playbook; it has `packages`. */
  constructor(estate: Estate, control: string, pool: Pool) {
    this.#estate = estate;
    this.#control = control;
    this.#pool = pool;
  }

  /** Put key, inventory and playbook on the control node. */
  async prepare(): Promise<void> {
    const key = readFileSync(this.#estate.host(this.#control).privateKeyPath, "utf8");
    await this.#on("mkdir -p /root/.ssh && chmod 700 /root/.ssh && mkdir -p /root/ansible");
    await this.#put("/root/.ssh/id_ed25519", key, "0600");
    await this.#put("/root/.ssh/known_hosts", this.#knownHosts());
    await this.#put(`${folder}/ansible.cfg`, configuration);
    await this.#put(`${folder}/hosts`, this.#inventory());
    await this.#put(`${folder}/rolling.yml`, readFileSync(join(import.meta.dirname, "rolling.yml"), "utf8"));
    const found = await this.#on(
      "cd /root/ansible && ansible --version | head -1 && ansible -m ping app:balancers",
      60,
    );
    if ((found.match(/SUCCESS/g) ?? []).length < this.#pool.servers.length + this.#pool.balancers.length)
      throw new Error(`ansible does not reach every host:\n${found}`);
  }

  /** Bring a release to the control node, which no tool is timed for. @param archive a file of this machine. */
  async bring(archive: string): Promise<void> {
    const text = readFileSync(archive).toString("base64");
    await this.#on(`base64 -d >${folder}/${basename(archive)} <<'TEXT_ENDS'\n${text}\nTEXT_ENDS`, 60);
  }

  /** The rolling update, over connections that are cold. @param archive a file that was brought. */
  async update(revision: string, archive: string): Promise<Rolled> {
    await this.#on(
      "for path in /root/.ansible-*; do [ ! -S $path ] || ssh -q -o ControlPath=$path -O exit host; done",
    );
    const variables = JSON.stringify({
      ...{ pool: this.#pool.name, owner: this.#pool.owner, port: this.#pool.port, links: this.#pool.links },
      ...{ revision, archive: `${folder}/${basename(archive)}` },
    });
    const started = performance.now();
    const command = `cd ${folder} && ansible-playbook rolling.yml -e '${variables}'`;
    const { code, stdout, stderr } = await ssh(this.#estate.lab, this.#control, command, limitSeconds);
    return { seconds: (performance.now() - started) / 1000, code, output: stdout + stderr };
  }

  #inventory(): string {
    const line = (host: string) => {
      const { address } = this.#estate.host(host);
      return `${host} ansible_host=${address} address=${address}`;
    };
    const { servers, balancers } = this.#pool;
    return ["[app]", ...servers.map(line), "[balancers]", ...balancers.map(line), ""].join("\n");
  }

  #knownHosts(): string {
    return [...this.#estate.hosts.values()].map(({ address, hostKey }) => `${address} ${hostKey}\n`).join("");
  }

  #on(command: string, seconds = 30): Promise<string> {
    return this.#estate.on(this.#control, command, seconds);
  }

  async #put(path: string, text: string, mode = "0644"): Promise<void> {
    await this.#on(`cat >${path} <<'TEXT_ENDS'\n${text}TEXT_ENDS\nchmod ${mode} ${path}`);
  }
}
