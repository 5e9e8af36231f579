import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { type Answered, AnsweringHosts, startBanner, startRecordingAws } from "./answering.ts";
import { Project, type Run } from "./engine.ts";

const root = join(import.meta.dirname, "..", "..");

/** A step that ran: by a host, on the operator's machine, or by the platform. */
export type Ran = Omit<Answered, "command">;

/** A stack of the real program, run by the real CLI, with hosts that answer all that is asked of them. */
export class ToldStack {
  readonly project: Project;
  readonly hosts: AnsweringHosts;
  readonly #keys: Record<string, unknown>;
  readonly #stop: (() => void)[];
  readonly #dials: () => number;
  readonly #recording: string;
  #recorded = 0;

  private constructor(
    keys: Record<string, unknown>,
    hosts: AnsweringHosts,
    banner: Awaited<ReturnType<typeof startBanner>>,
  ) {
    this.project = new Project(root);
    this.#keys = keys;
    this.hosts = hosts;
    this.#dials = banner.dials;
    this.#recording = join(this.project.folder, "aws.jsonl");
    this.#stop = [hosts.stop.bind(hosts), banner.stop, this.project.remove.bind(this.project)];
    Object.assign(this.project.env, {
      LOOPBACK_PORT: String(banner.port),
      NODE_OPTIONS: `--import=${join(import.meta.dirname, "loopback-dials.ts")}`,
      PULUMI_DEBUG_PROVIDERS: hosts.ports,
      XDG_DATA_HOME: join(this.project.folder, "data"),
    });
  }

  /** @param keys of the stack file, as `committedStack` reads them. */
  static async start(keys: Record<string, unknown>): Promise<ToldStack> {
    const stack = new ToldStack(keys, await AnsweringHosts.start(), await startBanner());
    if (keys.platform === "aws") await stack.#recordAws();
    const made = await stack.project.pulumi(["stack", "init", "test"]);
    if (made.code !== 0) throw new Error(made.output);
    stack.set({});
    return stack;
  }

  async #recordAws(): Promise<void> {
    const aws = await startRecordingAws(this.#recording);
    this.#stop.unshift(aws.stop);
    this.project.env.PULUMI_DEBUG_PROVIDERS = `${this.hosts.ports},aws:${String(aws.port)}`;
  }

  /** The stack file of the next run: the keys that it began with, with some changed. */
  set(changes: Record<string, unknown>): void {
    const file = join(this.project.folder, "Pulumi.test.yaml");
    const [salt = ""] = existsSync(file)
      ? (/^encryptionsalt: .*$/m.exec(readFileSync(file, "utf8")) ?? [])
      : [];
    const entries = Object.entries({ ...this.#keys, ...changes });
    const config = Object.fromEntries(entries.map(([key, value]) => [`changeover:${key}`, value]));
    writeFileSync(file, `${salt}\n${stringify({ config })}`);
  }

  preview(...args: string[]): Promise<Run> {
    return this.project.pulumi(["preview", ...args]);
  }

  up(...args: string[]): Promise<Run> {
    return this.project.up(...args);
  }

  /** What the stack exports; secrets are sealed. */
  async outputs(): Promise<Readonly<Record<string, unknown>>> {
    const { resources } = await this.project.state();
    return resources.find(({ type }) => type === "pulumi:pulumi:Stack")?.outputs ?? {};
  }

  /** Keep the state as it is now. */
  save(name: string): void {
    cpSync(join(this.project.folder, "state"), join(this.project.folder, "saved", name), { recursive: true });
  }

  /** Go on from a state that was kept, with nothing that fails and nothing that ran. */
  restore(name: string): void {
    rmSync(join(this.project.folder, "state"), { recursive: true });
    cpSync(join(this.project.folder, "saved", name), join(this.project.folder, "state"), { recursive: true });
    this.hosts.failing.clear();
    this.hosts.bad.clear();
    this.hosts.slow.clear();
    this.ran();
  }

  /** How many connections the program has opened to hosts. */
  get dials(): number {
    return this.#dials();
  }

  /** What ran since the last call, in the order in which it began; making local machines is none of it. */
  ran(): Ran[] {
    const byHosts = this.hosts.taken().filter(({ name }) => !/^lab-|-answers$/.test(name));
    return [...byHosts, ...this.#byPlatform()].sort((one, other) => one.began - other.began);
  }

  /** What the platform was asked to do as a step of a transition. */
  #byPlatform(): Ran[] {
    if (!existsSync(this.#recording)) return [];
    const lines = readFileSync(this.#recording, "utf8").trimEnd().split("\n");
    const entries = lines
      .slice(this.#recorded)
      .map((line) => JSON.parse(line) as { at: string; op: string; what: string });
    this.#recorded = lines.length;
    return entries.flatMap(({ at, op, what }) => {
      const name = what.slice(what.lastIndexOf("::") + 2);
      const time = Date.parse(at);
      return op === "create" && /-(move-address|isolate)$/.test(name)
        ? [{ name, triggers: { host: "platform" }, began: time, ended: time }]
        : [];
    });
  }

  stop(): void {
    for (const stop of this.#stop) stop();
  }
}
