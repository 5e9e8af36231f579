import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { documentSchema, type RunBookDocument } from "../../tools/runbook/document.ts";
import { boot, createLab, hostUp, newLabId, removeLab, ssh } from "../../tools/workshop/lab/lab.ts";
import type { WriterTarget } from "../../tools/workshop/writer.ts";
import { Project, type Run } from "./engine.ts";

const root = join(import.meta.dirname, "..", "..");

/** A machine of the lab, as the inventory names it. */
export interface LabHost {
  readonly name: string;
  readonly address: string;
  readonly hostKey: string;
  readonly privateKeyPath: string;
}

/**
 * A real estate for tests and benches: machines of a lab of their own, which the real program operates as an
 * inventory, so that a stack's state can be lost, restored or killed without taking the machines with it.
 */
export class Estate {
  readonly lab: string;
  readonly subnet: string;
  readonly hosts: ReadonlyMap<string, LabHost>;
  readonly pair: Record<string, unknown>;
  project: Project;
  config: Record<string, unknown> = {};
  /** Whether the config names a power switch for each machine. */
  fences = false;
  /** An update that takes longer is ended by the test. */
  limitSeconds = 120;

  private constructor(lab: string, subnet: string, hosts: ReadonlyMap<string, LabHost>) {
    this.lab = lab;
    this.subnet = subnet;
    this.hosts = hosts;
    this.pair = {
      primary: "slayer",
      secondary: "megadeth",
      production: "slayer",
      serviceAddress: this.serviceAddress,
      clients: [subnet],
    };
    this.project = this.newProject();
  }

  /** Boot the machines; the stack is empty until the first `up`. */
  static async start(
    names: readonly string[] = ["slayer", "megadeth"],
    extra: readonly string[] = [],
  ): Promise<Estate> {
    const id = newLabId();
    const { subnet } = await createLab({ id, stack: "test", checkout: root }, extra);
    try {
      const made = await Promise.all(names.map((name) => hostUp(id, name, extra)));
      const hosts = new Map(
        names.map((name, index) => [name, { name, ...(made[index] as Omit<LabHost, "name">) }]),
      );
      const estate = new Estate(id, subnet, hosts);
      await estate.init();
      return estate;
    } catch (error) {
      // Who gets no estate can't stop it.
      await removeLab(id);
      throw error;
    }
  }

  get serviceAddress(): string {
    return this.subnet.replace(/\.0\/24$/, ".46");
  }

  host(name: string): LabHost {
    const found = this.hosts.get(name);
    if (!found) throw new Error(`no host ${name}`);
    return found;
  }

  /** Forget the state: the same machines, and a stack that has never seen them. */
  async forget(): Promise<void> {
    this.project.remove();
    this.project = this.newProject();
    await this.init();
  }

  private newProject(): Project {
    return new Project(root);
  }

  private async init(): Promise<void> {
    this.write();
    const made = await this.project.pulumi(["stack", "init", "test"]);
    if (made.code !== 0) throw new Error(made.output);
  }

  /** Change the pair's config for the next run. */
  set(change: Record<string, unknown>): void {
    Object.assign(this.pair, change);
    this.write();
  }

  /** Write the stack file; what `stack init` put into it stays. */
  write(): void {
    const key = [...this.hosts.values()][0]?.privateKeyPath;
    const inventory = Object.fromEntries(
      [...this.hosts].map(([name, { address, hostKey }]) => [
        name,
        { address, hostKey, ...(this.fences ? { fence: this.#powerSwitch(name) } : {}) },
      ]),
    );
    const config = {
      platform: "inventory",
      ssh: { user: "root", privateKeyPath: key },
      hosts: inventory,
      pairs: { sounz: this.pair },
      ...this.config,
    };
    const file = join(this.project.folder, "Pulumi.test.yaml");
    let salt = "";
    try {
      salt = /^encryptionsalt: .*$/m.exec(readFileSync(file, "utf8"))?.[0] ?? "";
    } catch {
      // The first one has none yet.
    }
    const keys = Object.fromEntries(
      Object.entries(config).map(([key, value]) => [`changeover:${key}`, value]),
    );
    writeFileSync(file, `${salt}\n${stringify({ config: keys })}`);
  }

  #powerSwitch(name: string): string {
    const lab = join(root, "tools", "workshop", "lab", "main.ts");
    return `${process.execPath} ${lab} power-cut ${name} --lab ${this.lab}`;
  }

  /** What the operator types when machines are lost, or are there again. */
  without(...unreachable: string[]): void {
    this.config = { unreachable };
    this.write();
  }

  flip(production: string): void {
    this.set({ production });
  }

  up(...args: string[]): Promise<Run> {
    return this.project.pulumi(["up", "--yes", "--skip-preview", ...args], this.limitSeconds);
  }

  /** `npm run verify` for this stack. */
  verify(): Promise<Run> {
    return this.tool("verify");
  }

  /** `npm run look` for this stack. */
  look(): Promise<Run> {
    return this.tool("look");
  }

  /** `npm run runbook` for this stack, with what its JSON has. */
  async runbook(...args: string[]): Promise<Run & { readonly document: RunBookDocument }> {
    const json = join(this.project.folder, "runbook.json");
    const run = await this.tool("runbook", "--json", json, ...args);
    return { ...run, document: documentSchema.parse(JSON.parse(readFileSync(json, "utf8"))) };
  }

  /** A tool of the checkout for this stack. */
  tool(name: string, ...args: readonly string[]): Promise<Run> {
    const argv = [join(root, "tools", `${name}.ts`), "--cwd", this.project.folder, ...args];
    const child = spawn(process.execPath, argv, {
      env: this.project.env,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: 120_000,
    });
    let output = "";
    child.stdout.on("data", (data: Buffer) => (output += data.toString()));
    child.stderr.on("data", (data: Buffer) => (output += data.toString()));
    return new Promise((resolve) => {
      child.on("close", (code) => {
        resolve({ code, output });
      });
    });
  }

  /** Boot a machine that was killed, and wait until it answers. */
  async boot(name: string): Promise<void> {
    await boot(this.lab, name);
  }

  /** Run a command on a machine as root. @throws when it fails. */
  async on(host: string, command: string, seconds = 30): Promise<string> {
    const { code, stdout, stderr } = await ssh(this.lab, host, command, seconds);
    if (code !== 0) throw new Error(`${host}: ${command}: ended with ${String(code)}: ${stderr}${stdout}`);
    return stdout;
  }

  /** The answer of a machine's own server. @throws when there is none. */
  async psql(host: string, statement: string, database = "postgres"): Promise<string> {
    const psql = `cd / && runuser -u postgres -- psql -XAtq -d ${database} -c "${statement}"`;
    return (await this.on(host, psql)).trim();
  }

  /** Where a client of the database writes: through the service address, or to one machine directly. */
  async database(host = this.serviceAddress): Promise<WriterTarget> {
    const { output } = await this.project.pulumi(["stack", "output", "--json", "--show-secrets"]);
    const { ownerPasswords } = JSON.parse(output) as { ownerPasswords: Record<string, string> };
    return { host, port: 5432, database: "sounz", user: "sounz", password: ownerPasswords.sounz ?? "" };
  }

  async stop(): Promise<void> {
    this.project.remove();
    await removeLab(this.lab);
  }
}

/** A folder that the caller removes. */
export function scratch(prefix: string): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), prefix));
  mkdirSync(path, { recursive: true });
  return {
    path,
    remove: () => {
      rmSync(path, { recursive: true, force: true });
    },
  };
}
