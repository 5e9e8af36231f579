import { execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { pulumiEnvironment, toolchain } from "../workshop/setup/toolchain.ts";
import { type Digest, readDigest } from "./digest.ts";

/** A preview, and whether it ended well. */
export interface Previewed {
  readonly digest: Digest;
  readonly failed: boolean;
}

/** Preview a stack. A program or a stack file with an error is a result too. @param cwd the folder of the project. */
export async function preview(cwd: string, stack: string | undefined): Promise<Previewed> {
  const options = ["--json", "--show-sames", "--non-interactive", "--color", "never"];
  const { code, stdout, stderr } = await cli(cwd, [
    "preview",
    ...options,
    ...(stack ? ["--stack", stack] : []),
  ]);
  const digest = stdout.includes("{") ? readDigest(stdout) : { steps: [], diagnostics: [] };
  if (code === 0) return { digest, failed: false };
  const said = stderr.trim() || `pulumi preview ended with ${String(code)}`;
  const told = digest.diagnostics.some(({ severity }) => severity === "error");
  const diagnostics = told
    ? digest.diagnostics
    : [...digest.diagnostics, { severity: "error", message: said }];
  return { digest: { ...digest, diagnostics }, failed: true };
}

/** A preview that was made before. @throws when the file is none. */
export function readPreview(file: string): Previewed {
  const digest = readDigest(readFileSync(file, "utf8"));
  return { digest, failed: digest.diagnostics.some(({ severity }) => severity === "error") };
}

/** Output of the CLI that set-up chose, to its end. */
function cli(cwd: string, args: readonly string[]) {
  const child = spawn(toolchain().pulumi, [...args], {
    cwd,
    env: pulumiEnvironment(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on("data", (data: Buffer) => out.push(data));
  child.stderr.on("data", (data: Buffer) => err.push(data));
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      resolve({ code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() });
    });
  });
}

/** Project and stack where a preview does not say them: it failed before its first resource. */
export async function namesOf(
  cwd: string,
  stack: string | undefined,
): Promise<{ readonly project: string; readonly stack: string }> {
  const named = stack ?? (await cli(cwd, ["stack", "--show-name", "--non-interactive"])).stdout.trim();
  return { project: projectIn(cwd), stack: named.split("/").at(-1) || "unknown" };
}

function projectIn(folder: string): string {
  const file = join(folder, "Pulumi.yaml");
  if (existsSync(file)) return (parse(readFileSync(file, "utf8")) as { name?: string }).name ?? "unknown";
  return dirname(folder) === folder ? "unknown" : projectIn(dirname(folder));
}

/**
 * The commit that is previewed: of a pull request its own, not the merge that a CI has checked out. Null: the folder is in no checkout.
 */
export function commitOf(cwd: string, env: NodeJS.ProcessEnv = process.env): string | null {
  const head = pullRequestHead(env);
  if (head !== undefined) return head;
  try {
    const git = (...args: string[]) =>
      execFileSync("git", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    const dirty = git("status", "--porcelain", "--untracked-files=no") !== "";
    return `${git("rev-parse", "HEAD")}${dirty ? " with changes" : ""}`;
  } catch {
    return null;
  }
}

function pullRequestHead(env: NodeJS.ProcessEnv): string | undefined {
  try {
    const event = JSON.parse(readFileSync(env.GITHUB_EVENT_PATH ?? "", "utf8")) as {
      pull_request?: { head?: { sha?: string } };
    };
    return event.pull_request?.head?.sha;
  } catch {
    return undefined;
  }
}
