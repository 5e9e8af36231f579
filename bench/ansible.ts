import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { ssh } from "../tools/workshop/lab/lab.ts";
import type { Estate } from "../test/support/estate.ts";

/** What the control node needs besides a plain local host: packages for `Estate.start`. */
export const packages = ["ansible"];

/** How a playbook ended. */
export interface Played {
  readonly seconds: number;
  /** Null: it was ended, as it took longer than it may. */
  readonly code: number | null;
  readonly output: string;
}

const folder = "/root/ansible";
const limitSeconds = 900;
/** How `timeout` ends. */
const timedOut = 124;

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

/** Debian's Ansible on a host of the estate as control node. */
export class Ansible {
  readonly #estate: Estate;
  readonly #control: string;
  readonly #groups: Readonly<Record<string, readonly string[]>>;

  /** @param control the host that runs playbooks; it has `packages`. @param groups of the inventory, of hosts. */
  constructor(estate: Estate, control: string, groups: Readonly<Record<string, readonly string[]>>) {
    this.#estate = estate;
    this.#control = control;
    this.#groups = groups;
  }

  /** Put key, inventory and a playbook on the control node. */
  async prepare(playbook: string): Promise<void> {
    const key = readFileSync(this.#estate.host(this.#control).privateKeyPath, "utf8");
    await this.#on("mkdir -p /root/.ssh && chmod 700 /root/.ssh && mkdir -p /root/ansible");
    await this.#put("/root/.ssh/id_ed25519", key, "0600");
    await this.#put("/root/.ssh/known_hosts", this.#knownHosts());
    await this.#put(`${folder}/ansible.cfg`, configuration);
    await this.#put(`${folder}/hosts`, this.#inventory());
    await this.#put(`${folder}/${basename(playbook)}`, readFileSync(playbook, "utf8"));
    const found = await this.#on(
      "cd /root/ansible && ansible --version | head -1 && ansible -m ping all",
      60,
    );
    const hosts = new Set(Object.values(this.#groups).flat());
    if ((found.match(/SUCCESS/g) ?? []).length < hosts.size)
      throw new Error(`ansible does not reach every host:\n${found}`);
  }

  /** Bring a file of this machine to the control node, which no tool is timed for. */
  async bring(file: string): Promise<string> {
    const text = readFileSync(file).toString("base64");
    const path = `${folder}/${basename(file)}`;
    await this.#on(`base64 -d >${path} <<'TEXT_ENDS'\n${text}\nTEXT_ENDS`, 60);
    return path;
  }

  /** Run the playbook, over connections that are cold. */
  async play(
    playbook: string,
    variables: Readonly<Record<string, unknown>>,
    seconds = limitSeconds,
  ): Promise<Played> {
    await this.#on(
      "for path in /root/.ansible-*; do [ ! -S $path ] || ssh -q -o ControlPath=$path -O exit host; done",
    );
    await this.#put(`${folder}/variables.json`, `${JSON.stringify(variables)}\n`);
    const started = performance.now();
    const command = `cd ${folder} && timeout --kill-after=5 ${String(seconds)} ansible-playbook ${basename(playbook)} -e @variables.json`;
    const { code, stdout, stderr } = await ssh(this.#estate.lab, this.#control, command, seconds + 30);
    return {
      seconds: (performance.now() - started) / 1000,
      code: code === timedOut ? null : code,
      output: stdout + stderr,
    };
  }

  #inventory(): string {
    const line = (host: string) => {
      const { address } = this.#estate.host(host);
      return `${host} ansible_host=${address} address=${address}`;
    };
    const groups = Object.entries(this.#groups).flatMap(([name, hosts]) => [`[${name}]`, ...hosts.map(line)]);
    return [...groups, ""].join("\n");
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
