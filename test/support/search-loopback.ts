import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { root } from "../../config/places.ts";
import { searchHome } from "../../tools/workshop/search-archives.ts";

const scripts = join(root, "scripts", "search");

/** What a script said. */
export interface Said {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Three real nodes on loopback, `es1` to `es3`, each with a host's folders and a systemctl of its own. */
export class SearchLoopback {
  readonly folder = mkdtempSync(join(tmpdir(), "search-loopback-"));
  readonly #home: string;

  private constructor(home: string) {
    this.#home = home;
  }

  static async start(): Promise<SearchLoopback> {
    const home = await searchHome("opensearch", "2.19.5");
    const rig = new SearchLoopback(home);
    chmodSync(rig.folder, 0o755);
    mkdirSync(join(rig.folder, "bin"));
    for (const name of ["systemctl", "journalctl"]) {
      copyFileSync(join(root, "test", "support", "search-systemctl.py"), join(rig.folder, "bin", name));
      chmodSync(join(rig.folder, "bin", name), 0o755);
    }
    execFileSync("python3", ["-I", join(root, "test", "support", "search_rig.py"), rig.folder, home]);
    for (const node of [1, 2, 3]) rig.systemctl(node, "start");
    await rig.until("three nodes are in", 120, async () => (await rig.health()).number_of_nodes === 3);
    for (const node of [1, 2, 3]) rig.plan(node, "a");
    return rig;
  }

  #env(node: number) {
    return {
      ...process.env,
      PATH: `${this.folder}/bin:${process.env["PATH"] ?? ""}`,
      SEARCH_HOME: this.#home,
      CHANGEOVER_SEARCH: join(this.folder, `es${String(node)}`),
      CHANGEOVER_ROOT: join(this.folder, `es${String(node)}`, "root"),
      ...{ CHANGEOVER_ID: "run1", CHANGEOVER_TRANSITION: "rescue", CHANGEOVER_COMPONENT: "logs" },
    };
  }

  systemctl(node: number, ...words: string[]): void {
    execFileSync(join(this.folder, "bin", "systemctl"), words, { env: this.#env(node) });
  }

  kill(node: number): void {
    this.systemctl(node, "kill", "-s", "KILL");
  }

  /** The plan of the node's next start: a is right, b has a setting that no engine knows. */
  plan(node: number, letter: "a" | "b"): void {
    const current = join(this.folder, `es${String(node)}`, "logs", "current");
    unlinkSync(current);
    symlinkSync(`plans/${letter.repeat(12)}`, current);
  }

  /** A script as a step runs it. @param killAfter milliseconds after which it is killed with all it started. */
  async script(node: number, name: string, words: readonly string[] = [], killAfter?: number): Promise<Said> {
    const run = spawn("bash", [join(scripts, `${name}.sh`), "logs", "logs", ...words], {
      env: this.#env(node),
      detached: true,
    });
    let [out, err] = ["", ""];
    run.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
    run.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
    const timer =
      killAfter === undefined || run.pid === undefined
        ? undefined
        : setTimeout((pid: number) => process.kill(-pid, "SIGKILL"), killAfter, run.pid);
    const [code] = (await once(run, "close")) as [number | null];
    clearTimeout(timer);
    return { code, out, err };
  }

  async ask<T = Record<string, unknown>>(path: string, body?: object | string, method = "PUT"): Promise<T> {
    for (const node of [1, 2, 3]) {
      const answer = await fetch(`http://127.0.0.${String(node + 1)}:19200${path}`, {
        ...(body === undefined
          ? { method: method === "PUT" ? "GET" : method }
          : { method, body: typeof body === "string" ? body : JSON.stringify(body) }),
        headers: { "content-type": typeof body === "string" ? "application/x-ndjson" : "application/json" },
        signal: AbortSignal.timeout(60_000),
      }).catch(() => undefined);
      if (answer === undefined || answer.status === 503) continue;
      const said = (await answer.json()) as T;
      if (!answer.ok) throw new Error(`${path}: ${String(answer.status)} ${JSON.stringify(said)}`);
      return said;
    }
    throw new Error(`no node answers ${path}`);
  }

  settings(): Promise<object> {
    return this.ask<object>("/_cluster/settings?flat_settings=true");
  }

  health(): Promise<{ status: string; number_of_nodes: number }> {
    return this.ask("/_cluster/health");
  }

  async until(what: string, seconds: number, is: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + seconds * 1000;
    while (!(await is().catch(() => false))) {
      if (Date.now() > deadline) throw new Error(`${what}: not so after ${String(seconds)} s`);
      await pause(200);
    }
  }

  stop(): void {
    for (const node of [1, 2, 3]) this.kill(node);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
