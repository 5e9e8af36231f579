import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Project, type Run, type StateEntry } from "../support/engine.ts";
import { type Sshd, startSshd } from "../support/sshd.ts";
import { type Wanted, type WantedResource } from "./wanted.ts";

/** One entry of the state. */
export type Entry = StateEntry & { readonly id?: string };

/** One line of a preview. */
export interface Planned {
  readonly op: string;
  readonly urn: string;
  readonly newState?: { inputs?: Record<string, unknown>; outputs?: Record<string, unknown> };
  readonly detailedDiff?: Record<string, { kind: string; inputDiff: boolean }> | null;
}

/** A host of the tests: an sshd, and a folder of its own in which its commands leave what they did. */
export interface TestHost {
  readonly sshd: Sshd;
  readonly folder: string;
  readonly connection: Record<string, unknown>;
}

/** A stack whose program declares what the test writes down. */
export class Bench {
  readonly project = new Project(join(import.meta.dirname, "program", "index.ts"));
  readonly folder = mkdtempSync(join(tmpdir(), "changeover-conformance-"));
  readonly #hosts: TestHost[] = [];

  static async start(): Promise<Bench> {
    const bench = new Bench();
    bench.project.env.WANTED = join(bench.folder, "wanted.json");
    bench.want({});
    // An agent of the person who runs the tests is none of theirs.
    delete bench.project.env.SSH_AUTH_SOCK;
    const made = await bench.project.pulumi(["stack", "init", "test"]);
    if (made.code !== 0) throw new Error(made.output);
    return bench;
  }

  /** @param config further lines for its sshd_config. */
  async host(name: string, config: readonly string[] = []): Promise<TestHost> {
    const folder = join(this.folder, name);
    mkdirSync(folder);
    const sshd = await startSshd({ name, env: { HERE: folder }, config });
    const { host: address, port, user, hostKey, privateKey } = sshd;
    const connection = { host: address, port, user, hostKey, privateKey, dialErrorLimit: 0 };
    const host = { sshd, folder, connection };
    this.#hosts.push(host);
    return host;
  }

  want(wanted: Wanted): void {
    writeFileSync(join(this.folder, "wanted.json"), JSON.stringify(wanted));
  }

  /** Declares these resources and runs `up`. */
  up(...resources: readonly WantedResource[]): Promise<Run> {
    this.want({ resources });
    return this.project.up();
  }

  /** Declares these resources and plans an update. */
  async preview(...resources: readonly WantedResource[]): Promise<Planned[]> {
    this.want({ resources });
    const { output } = await this.project.pulumi(["preview", "--json"]);
    const { steps } = JSON.parse(output.slice(output.indexOf("{"))) as { steps?: Planned[] };
    if (!steps) throw new Error(output);
    return steps;
  }

  /** Every entry of the state, secrets sealed. It is read from the backend's file, which is quicker than an export. */
  resources(): Entry[] {
    const file = join(this.project.folder, "state", ".pulumi", "stacks", "changeover", "test.json");
    const { checkpoint } = JSON.parse(readFileSync(file, "utf8")) as {
      checkpoint: { latest: { resources?: Entry[] } };
    };
    return checkpoint.latest.resources ?? [];
  }

  /** The resource of this name; undefined when the state has none, or only what waits to be deleted. */
  stateOf(name: string): Entry | undefined {
    return this.resources().find(({ urn, delete: old }) => urn.endsWith(`::${name}`) && old !== true);
  }

  async stop(): Promise<void> {
    for (const { sshd } of this.#hosts) await sshd.stop();
    this.project.remove();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The op planned for a resource; undefined for one that stays the same. */
export function planned(steps: readonly Planned[], name: string): string | undefined {
  return steps.find(({ urn }) => urn.endsWith(`::${name}`))?.op;
}

/** What commands left in a host's file, taken away. */
export function taken(host: TestHost, file = "did"): string[] {
  const path = join(host.folder, file);
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  rmSync(path);
  return lines;
}

/** A remote command, called `it` unless said otherwise. */
export function remote(
  host: TestHost,
  args: Record<string, unknown>,
  opts: Omit<Partial<WantedResource>, "args" | "type"> = {},
): WantedResource {
  return {
    name: "it",
    ...opts,
    type: "remote.Command",
    args: { connection: host.connection, addPreviousOutputInEnv: false, ...args },
  };
}

export const local = (
  args: Record<string, unknown>,
  opts: Omit<Partial<WantedResource>, "args" | "type"> = {},
): WantedResource => ({ name: "it", ...opts, type: "local.Command", args });
