import { spawn } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, relative } from "node:path";
import type { TestContext } from "vitest";
import { root } from "../../config/places.ts";
import { onPath } from "../../tools/workshop/setup/run.ts";
import { toolchain } from "../../tools/workshop/setup/toolchain.ts";
import { ciTool, type ToolName } from "../../tools/workshop/test/ci-tools.ts";
import { killGroup, type Run } from "./engine.ts";

export const passphrase = "the-passphrase-of-the-tests";

/** What `npm ci` comes to, from this checkout's packages; and a line for each `npm` that says which secrets it saw. */
const npm = (real: string, seen: string): string => `#!/bin/sh
echo "\${1:-} \${2:-}: \${PULUMI_CONFIG_PASSPHRASE:+passphrase} \${PULUMI_BACKEND_URL:+backend} \${GITHUB_TOKEN:+token}\${CHANGEOVER_GITLAB_TOKEN:+token}" >>'${seen}'
if [ "\${1:-}" = ci ]; then
  rm -rf node_modules
  exec cp -al '${root}/node_modules' . 2>/dev/null || exec cp -a '${root}/node_modules' .
fi
exec '${real}' "$@"
`;

/** A clone of this checkout as a team has it: a stack with a backend of its own, and a forge that it is pushed to. */
export class CiRepository {
  readonly folder = mkdtempSync(join(tmpdir(), "changeover-ci-"));
  readonly clone = join(this.folder, "clone");
  /** As on a runner: nothing of this machine's user, and this machine's own Node. */
  readonly env: NodeJS.ProcessEnv;
  readonly backend = `file://${join(this.folder, "state")}`;
  readonly #seen = join(this.folder, "seen");

  private constructor() {
    const [real] = onPath("npm");
    if (real === undefined) throw new Error("npm is not on PATH");
    const bin = join(this.folder, "bin");
    for (const name of ["bin", "home", "state", "clone"]) mkdirSync(join(this.folder, name));
    writeFileSync(join(bin, "npm"), npm(real, this.#seen));
    chmodSync(join(bin, "npm"), 0o755);
    const path = (process.env.PATH ?? "").split(delimiter).filter((one) => !one.includes("node_modules"));
    this.env = {
      PATH: [bin, dirname(toolchain().pulumi), ...path].join(delimiter),
      HOME: join(this.folder, "home"),
      XDG_CACHE_HOME: join(this.folder, "cache"),
      XDG_DATA_HOME: join(this.folder, "data"),
      LANG: "C.UTF-8",
      NO_COLOR: "1",
      CHANGEOVER_DOWNLOADS: "no",
    };
  }

  /** Make the clone, with this checkout's files as they are now, and the stack prod that was never updated. */
  static async create(): Promise<CiRepository> {
    const repository = new CiRepository();
    const left = new Set([".git", "node_modules", "releases", "coverage", ".vitest"]);
    cpSync(root, repository.clone, { recursive: true, filter: (file) => !left.has(relative(root, file)) });
    await repository.ok(["npm", "ci"]);
    await repository.ok(["npm", "run", "setup"]);
    await repository.pulumi("stack", "init", "prod");
    await repository.ok(["git", "init", "--quiet", "--initial-branch", "flip"]);
    await repository.push();
    return repository;
  }

  /** The stack file of prod. */
  get stackFile(): string {
    return readFileSync(join(this.clone, "Pulumi.prod.yaml"), "utf8");
  }

  set stackFile(text: string) {
    writeFileSync(join(this.clone, "Pulumi.prod.yaml"), text);
  }

  /** Run the CLI as an operator of this stack. */
  async pulumi(...args: readonly string[]): Promise<void> {
    const secrets = { PULUMI_BACKEND_URL: this.backend, PULUMI_CONFIG_PASSPHRASE: passphrase };
    const pulumi = join("node_modules", ".bin", "pulumi");
    await this.ok([pulumi, ...args, "--non-interactive", "--color", "never"], secrets);
  }

  /** Commit everything. */
  async push(): Promise<void> {
    const git = ["git", "-c", "user.name=Tests", "-c", "user.email=tests@example.com"];
    await this.ok([...git, "add", "--all"]);
    await this.ok([...git, "commit", "--quiet", "--allow-empty", "--message", "Push"]);
  }

  /** Which secrets each `npm` of a job saw since the last call, for example `run setup: passphrase`. */
  seen(): string[] {
    if (!existsSync(this.#seen)) return [];
    const lines = readFileSync(this.#seen, "utf8").trimEnd().split("\n");
    rmSync(this.#seen);
    return lines.map((line) => line.trimEnd().replace(/ +/g, " "));
  }

  /** Run a command in the clone to its end. */
  run(argv: readonly string[], env: NodeJS.ProcessEnv = {}, seconds = 180): Promise<Run> {
    const [file = "", ...args] = argv;
    const child = spawn(file, args, {
      cwd: this.clone,
      env: { ...this.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    let output = "";
    child.stdout.on("data", (data: Buffer) => (output += data.toString()));
    child.stderr.on("data", (data: Buffer) => (output += data.toString()));
    const timer = setTimeout(() => {
      output += `\n[the test ended it after ${seconds} s]`;
      killGroup(child, "SIGKILL");
    }, seconds * 1000);
    return new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code) => {
        clearTimeout(timer);
        resolve({ code, output });
      });
    });
  }

  async ok(argv: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<void> {
    const { code, output } = await this.run(argv, env);
    if (code !== 0) throw new Error(`${argv.join(" ")} ended with ${String(code)}\n${output}`);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The path of a tool; the test is skipped, with the reason, where this machine cannot have it. */
export async function toolFor({ skip }: TestContext, name: ToolName): Promise<string> {
  const got = await ciTool(name);
  if ("path" in got) return got.path;
  // Reporters keep the reason to themselves.
  console.log(`skipped: ${got.missing}`);
  return skip(got.missing);
}

/** The stack file with the keys of its encryption, and nothing to operate. */
export function operatingNothing(stackFile: string): string {
  const [salt = ""] = /^encryptionsalt: .*$/m.exec(stackFile) ?? [];
  return `${salt}\nconfig:\n  changeover:platform: inventory\n  changeover:hosts: {}\n`;
}
