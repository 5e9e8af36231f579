import { type ChildProcess, spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import type { ExportedEntry } from "../../transition/open.ts";
import { pulumiEnvironment, toolchain } from "../../tools/workshop/setup/toolchain.ts";
import type { Scenario, TestRow } from "../engine/scenario.ts";
import { type Sshd, startSshd } from "./sshd.ts";

const root = join(import.meta.dirname, "..", "..");

/** What one run of the CLI did. */
export interface Run {
  readonly code: number | null;
  readonly output: string;
}

/** One entry of an exported state, as far as the tests look. */
export interface StateEntry extends ExportedEntry {
  readonly dependencies?: readonly string[];
}

/** A project of its own with its own backend, run by the real CLI. */
export class Project {
  readonly folder = mkdtempSync(join(tmpdir(), "changeover-engine-"));
  readonly env: NodeJS.ProcessEnv;

  /** @param main the program: its file, or the folder of its package. */
  constructor(main: string, env: Record<string, string> = {}) {
    const project = parse(readFileSync(join(root, "Pulumi.yaml"), "utf8")) as object;
    writeFileSync(join(this.folder, "Pulumi.yaml"), stringify({ ...project, main }));
    // `software` is looked for in the project.
    symlinkSync(join(root, "demo"), join(this.folder, "demo"));
    mkdirSync(join(this.folder, "state"));
    this.env = pulumiEnvironment({
      PULUMI_BACKEND_URL: `file://${join(this.folder, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "tests",
      ...env,
    });
  }

  /** Run the CLI to its end; past the deadline it is killed and the run fails. */
  async pulumi(args: readonly string[], seconds = 120): Promise<Run> {
    const { run } = this.start(args, seconds);
    return run;
  }

  /** Start the CLI and hand out its process, to be signalled in mid-run. */
  start(
    args: readonly string[],
    seconds = 120,
  ): { child: ChildProcess; run: Promise<Run>; said: () => string } {
    const child = spawn(toolchain().pulumi, [...args, "--non-interactive", "--color", "never"], {
      cwd: this.folder,
      env: this.env,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    let output = "";
    child.stdout.on("data", (data: Buffer) => (output += data.toString()));
    child.stderr.on("data", (data: Buffer) => (output += data.toString()));
    const timer = setTimeout(() => {
      output += `\n[the test ended it after ${String(seconds)} s]`;
      killGroup(child, "SIGKILL");
    }, seconds * 1000);
    const run = new Promise<Run>((resolve) => {
      child.on("exit", (code) => {
        clearTimeout(timer);
        // Plugins that outlive a killed CLI hold the pipes open: what has arrived by now is the output.
        setTimeout(() => {
          child.stdout.destroy();
          child.stderr.destroy();
          resolve({ code, output });
        }, 50);
      });
    });
    return { child, run, said: () => output };
  }

  up(...args: string[]): Promise<Run> {
    return this.pulumi(["up", "--yes", "--skip-preview", ...args]);
  }

  /** The resources of the stack as the state has them. */
  async state(): Promise<{ resources: StateEntry[]; pending: unknown[] }> {
    const { output } = await this.pulumi(["stack", "export"]);
    const { deployment } = JSON.parse(output) as {
      deployment: { resources?: StateEntry[]; pending_operations?: unknown[] };
    };
    return { resources: deployment.resources ?? [], pending: deployment.pending_operations ?? [] };
  }

  /** The runbook's cure for a state that was being written when its writer was killed. */
  restoreBackup(): void {
    const file = join(this.folder, "state", ".pulumi", "stacks", "changeover", "test.json");
    rmSync(`${file}.attrs`, { force: true });
    if (readFileSync(file, "utf8").trim() === "") cpSync(`${file}.bak`, file);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** End a process and the plugins that it started. */
export function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  } catch {
    // It has ended by itself.
  }
}

/** Hosts on loopback, a scenario, and the stack that runs it. */
export class Bench {
  readonly project: Project;
  readonly #scenario: string;
  readonly #scripts: string;
  readonly hosts = new Map<string, { sshd: Sshd; root: string }>();
  #now: Scenario;

  private constructor(project: Project, scripts: string, now: Scenario) {
    this.project = project;
    this.#scripts = scripts;
    this.#now = now;
    this.#scenario = join(project.folder, "scenario.json");
  }

  /** @param names hosts to start, each an sshd of its own with a root of its own. */
  static async start(
    names: readonly string[],
    scenario: Pick<Scenario, "transitions"> & Partial<Scenario>,
  ): Promise<Bench> {
    const project = new Project(join(root, "test", "engine", "program", "index.ts"));
    const scripts = join(project.folder, "scripts");
    cpSync(join(root, "scripts"), scripts, { recursive: true, filter: (path) => !path.includes("/pair") });
    cpSync(join(root, "test", "engine", "scripts", "t"), join(scripts, "t"), { recursive: true });
    const bench = new Bench(project, scripts, { component: "c", scripts, hosts: {}, ...scenario });
    project.env.SCENARIO = bench.#scenario;
    for (const name of names) await bench.addHost(name);
    const made = await project.pulumi(["stack", "init", "test"]);
    if (made.code !== 0) throw new Error(made.output);
    return bench;
  }

  async addHost(name: string): Promise<void> {
    const hostRoot = join(this.project.folder, "hosts", name);
    mkdirSync(hostRoot, { recursive: true });
    const sshd = await startSshd({ name, env: { CHANGEOVER_ROOT: hostRoot } });
    this.hosts.set(name, { sshd, root: hostRoot });
    const { port, user, hostKey, privateKeyPath } = sshd;
    const ssh = {
      host: "127.0.0.1",
      port,
      user,
      hostKey,
      privateKeyPath,
      sudo: false,
      scriptsRoot: join(hostRoot, "opt"),
    };
    this.set({ hosts: { ...this.#now.hosts, [name]: { ssh, identity: `${name}-1`, root: hostRoot } } });
  }

  /** Change what the next run is told. */
  set(change: Partial<Scenario>): void {
    this.#now = { ...this.#now, ...change };
    writeFileSync(this.#scenario, JSON.stringify(this.#now));
  }

  get now(): Scenario {
    return this.#now;
  }

  get scripts(): string {
    return this.#scripts;
  }

  /** Another goal for a transition. */
  goal(transition: string, goal: Record<string, string>): void {
    const old = this.#now.transitions[transition];
    if (!old) throw new Error(`no transition ${transition}`);
    this.set({ transitions: { ...this.#now.transitions, [transition]: { ...old, goal } } });
  }

  rows(transition: string, rows: readonly TestRow[]): void {
    const old = this.#now.transitions[transition];
    if (!old) throw new Error(`no transition ${transition}`);
    this.set({ transitions: { ...this.#now.transitions, [transition]: { ...old, rows } } });
  }

  /** Tell the steps of a host what to do: `{ "promote.fail": "1", "fence.wait": "2" }`. */
  control(host: string, told: Record<string, string>): void {
    const lines = Object.entries(told).map(([key, value]) => `${key}=${value}`);
    writeFileSync(join(this.rootOf(host), "control"), `${lines.join("\n")}\n`);
  }

  rootOf(host: string): string {
    const found = this.hosts.get(host);
    if (!found) throw new Error(`no host ${host}`);
    return found.root;
  }

  /** What the steps did on all hosts since the last call, in order of time: `["act fence slayer@a", …]`. */
  trace(): string[] {
    const lines = [...this.hosts].flatMap(([name, { root: at }]) => {
      const file = join(at, "trace");
      if (!existsSync(file)) return [];
      const text = readFileSync(file, "utf8").trimEnd().split("\n");
      rmSync(file);
      return text.map((line) => `${line}@${name}`);
    });
    return lines.sort().map((line) => line.replace(/^\S+ /, ""));
  }

  /** Only what was acted, not what was begun. */
  acts(): string[] {
    return this.trace()
      .filter((line) => line.startsWith("act "))
      .map((line) => line.slice(4));
  }

  connections(): number {
    return [...this.hosts.values()].reduce((sum, { sshd }) => sum + sshd.connections(), 0);
  }

  async stop(): Promise<void> {
    for (const { sshd } of this.hosts.values()) await sshd.stop();
    this.project.remove();
  }
}
