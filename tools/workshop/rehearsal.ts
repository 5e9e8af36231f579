import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { parse, stringify } from "yaml";
import { type CliRun, runPulumi } from "./cli-run.ts";
import { boot, findLab, stateOf } from "./lab/lab.ts";
import { dataFolder, pulumiEnvironment } from "./setup/toolchain.ts";

const root = join(import.meta.dirname, "..", "..");
const checkout = createHash("sha256").update(root).digest("hex").slice(0, 8);

/** The config of a stack file, by its full keys. */
export type StackKeys = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export const say = (text: string): void => {
  console.log(text);
};

/**
 * A part of the development stack with hosts of its own: every resource more is written into the state at every step.
 * State and stack file are outside the checkout, whatever the environment says.
 */
export class Rehearsal {
  readonly stack: string;
  readonly folder: string;
  readonly #part: (config: StackKeys) => object;

  /** @param part what of the development stack's config it takes. */
  constructor(stack: string, part: (config: StackKeys) => object) {
    this.stack = stack;
    this.folder = join(dataFolder(), `${stack}-${checkout}`);
    this.#part = part;
  }

  /** Run the CLI to its end, whatever that is. */
  run(args: readonly string[], narrate = false): Promise<CliRun> {
    const all = [...args, "--stack", this.stack];
    return runPulumi(all, { cwd: this.folder, env: this.#project(), narrate: narrate ? say : undefined });
  }

  /** @throws when the CLI fails, with all that it said. */
  async pulumi(args: readonly string[], narrate = false): Promise<CliRun> {
    const run = await this.run(args, narrate);
    if (run.code !== 0)
      throw new Error(`pulumi ${args.join(" ")} ended with ${String(run.code)}:\n${run.output}`);
    return run;
  }

  up(): Promise<CliRun> {
    return this.run(["up", "--yes", "--skip-preview"], true);
  }

  /** A person's own command, on this terminal. */
  async interactive(args: readonly string[]): Promise<number> {
    const run = await runPulumi(args, { cwd: this.folder, env: this.#project(), interactive: true });
    return run.code ?? 1;
  }

  /** A tool of this checkout for the rehearsal's stack, on this terminal: `timeline`, `status`. @returns its exit code. */
  tool(name: string, args: readonly string[]): number {
    const file = join(root, "tools", `${name}.ts`);
    const where = ["--stack", this.stack, "--cwd", this.folder];
    const { status } = spawnSync(process.execPath, [file, ...where, ...args], {
      env: this.#project(),
      stdio: "inherit",
    });
    return status ?? 1;
  }

  /** One entry of what the stack file says under a key; undefined when there is none. */
  async entry<T>(key: string, name: string): Promise<T | undefined> {
    const { output } = await this.pulumi(["config", "--json"]);
    const config = JSON.parse(output) as Record<string, { value: string }>;
    return (JSON.parse(config[key]?.value ?? "{}") as Record<string, T>)[name];
  }

  async outputs<T>(): Promise<T> {
    return JSON.parse((await this.pulumi(["stack", "output", "--json", "--show-secrets"])).output) as T;
  }

  /** Make all that the stack file names. When somebody removed the hosts of the last time, it begins anew. */
  async begin(what: string): Promise<void> {
    say(`state and stack file of the rehearsal: ${this.folder}`);
    await this.pulumi(["stack", "select", "--create"]);
    if (!(await this.#hostsAsTheStateSays())) {
      say("the hosts of the last rehearsal were removed; beginning anew");
      rmSync(this.folder, { recursive: true, force: true });
      await this.pulumi(["stack", "select", "--create"]);
    }
    say(`== ${what} (pulumi up)`);
    const made = await this.pulumi(["up", "--yes", "--skip-preview"], true);
    say(`   whole update              ${made.seconds.toFixed(1)} s`);
  }

  /** Remove hosts, state and stack file. @returns whether there was anything. */
  async down(): Promise<boolean> {
    if (!existsSync(this.folder)) return false;
    await this.pulumi(["stack", "select", "--create"]);
    await this.pulumi(["destroy", "--yes", "--skip-preview"], true);
    rmSync(this.folder, { recursive: true, force: true });
    return true;
  }

  /** The checkout's program, with state and stack file elsewhere. */
  #project(): NodeJS.ProcessEnv {
    mkdirSync(join(this.folder, "state"), { recursive: true, mode: 0o700 });
    const source = parse(readFileSync(join(root, "Pulumi.yaml"), "utf8")) as Record<string, unknown>;
    writeFileSync(
      join(this.folder, "Pulumi.yaml"),
      stringify({ ...source, main: relative(this.folder, root) }),
    );
    const demo = join(this.folder, "demo");
    // `software` of the stack file is looked for beside Pulumi.yaml.
    if (!existsSync(demo)) symlinkSync(join(root, "demo"), demo);
    const stackFile = join(this.folder, `Pulumi.${this.stack}.yaml`);
    if (!existsSync(stackFile)) {
      const { config } = parse(readFileSync(join(root, "Pulumi.dev.yaml"), "utf8")) as { config: StackKeys };
      writeFileSync(stackFile, stringify({ config: this.#part(config) }));
    }
    return pulumiEnvironment({
      PULUMI_BACKEND_URL: `file://${join(this.folder, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "rehearsal",
      PULUMI_CONFIG_PASSPHRASE_FILE: undefined,
      PULUMI_STACK: undefined,
    });
  }

  /** Hosts that a reboot switched off are booted. @returns false when the state has hosts that are gone. */
  async #hostsAsTheStateSays(): Promise<boolean> {
    const { output } = await this.pulumi(["stack", "export"]);
    const { deployment } = JSON.parse(output) as {
      deployment: { resources?: { urn: string; outputs?: { hex?: string } }[] };
    };
    const id = deployment.resources?.find(({ urn }) => urn.endsWith("::lab-id"))?.outputs?.hex;
    if (id === undefined) return true;
    const lab = await findLab(`co-${id}`);
    if (!lab) return false;
    for (const host of Object.keys(lab.hosts)) {
      const { state } = await stateOf(lab.id, host);
      if (state !== "off") continue;
      say(`   booting ${host}, which was off`);
      await boot(lab.id, host);
    }
    return true;
  }
}
