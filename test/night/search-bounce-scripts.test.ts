import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, unlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type maven from "mvn-artifact-download";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "../../config/places.ts";

const { default: fetched } = createRequire(import.meta.url)("mvn-artifact-download") as typeof maven;
const artifact = "org.opensearch.distribution.integ-test-zip:opensearch:zip:2.19.5";
const scripts = join(root, "scripts", "search");
const enable = "cluster.routing.allocation.enable";
const nodes = [1, 2, 3] as const;
let folder: string;

const envOf = (node: number) => ({
  ...process.env,
  PATH: `${folder}/bin:${process.env["PATH"] ?? ""}`,
  SEARCH_HOME: join(folder, "opensearch-2.19.5"),
  CHANGEOVER_SEARCH: join(folder, `es${String(node)}`),
  CHANGEOVER_ROOT: join(folder, `es${String(node)}`, "root"),
  CHANGEOVER_WATCH: join(folder, `es${String(node)}`, "watch"),
  ...{ CHANGEOVER_ID: "run1", CHANGEOVER_TRANSITION: "bounce", CHANGEOVER_COMPONENT: "logs" },
});
const systemctl = (node: number, ...words: string[]) =>
  execFileSync(join(folder, "bin", "systemctl"), words, { env: envOf(node) });
const script = (node: number, name: string, ...words: string[]) =>
  spawnSync("bash", [join(scripts, `${name}.sh`), "logs", "logs", ...words], {
    env: envOf(node),
    encoding: "utf8",
  });

async function ask<T>(path: string, body?: object, method = "PUT"): Promise<T> {
  for (const node of [2, 3, 1]) {
    try {
      const answer = await fetch(`http://127.0.0.${String(node + 1)}:19200${path}`, {
        ...(body && { method, body: JSON.stringify(body) }),
        headers: { "content-type": "application/json" },
        signal: AbortSignal.timeout(10_000),
      });
      return (await answer.json()) as T;
    } catch {
      // The next node is asked.
    }
  }
  throw new Error(`no node answers ${path}`);
}
const settings = () => ask<object>("/_cluster/settings?flat_settings=true");

async function until(what: string, seconds: number, is: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!(await is().catch(() => false))) {
    if (Date.now() > deadline) throw new Error(`${what}: not so after ${String(seconds)} s`);
    await pause(100);
  }
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "search-bounce-"));
  chmodSync(folder, 0o755);
  const home = join(folder, "opensearch-2.19.5");
  const zip = await fetched(artifact, folder, process.env["CHANGEOVER_MAVEN"]?.replace(/\/*$/, "/"));
  execFileSync("python3", ["-m", "zipfile", "-e", zip, folder]);
  execFileSync("chmod", ["-R", "a+rX,u+x", join(home, "bin")]);
  execFileSync("chmod", ["-R", "a+rx", join(home, "bin")]);
  mkdirSync(join(folder, "bin"));
  for (const name of ["systemctl", "journalctl"]) {
    copyFileSync(join(root, "test", "support", "search-systemctl.py"), join(folder, "bin", name));
    chmodSync(join(folder, "bin", name), 0o755);
  }
  execFileSync("python3", ["-I", join(root, "test", "support", "search_rig.py"), folder, home]);
  for (const node of nodes) systemctl(node, "start", "x");
  await until(
    "three nodes are in",
    120,
    async () => (await ask<{ number_of_nodes?: number }>("/_cluster/health")).number_of_nodes === 3,
  );
  await ask("/_cluster/settings", {
    persistent: { "cluster.routing.allocation.awareness.attributes": "zone" },
    transient: { [enable]: "all", "cluster.routing.allocation.exclude._ip": "10.9.9.9" },
  });
  await ask("/a", { settings: { number_of_shards: 3, number_of_replicas: 1 } });
}, 300_000);

afterAll(() => {
  for (const node of nodes) systemctl(node, "kill", "-s", "KILL", "x");
  rmSync(folder, { recursive: true, force: true });
});

describe("scripts of a bounce, on real nodes", () => {
  it("bounces each node once, never red, with settings as found", async () => {
    const found = await settings();
    const seen = new Set<string>();
    const reds: string[] = [];
    const ended = new AbortController();
    const watch = (async () => {
      while (!ended.signal.aborted) {
        // The manager's word: a node that has just started says "red" of what it does not know yet.
        const said = await ask<{ status?: string; error?: object }>("/_cluster/health?level=indices").catch(
          () => undefined,
        );
        if (said?.error === undefined) seen.add(JSON.stringify(said?.status ?? "no answer"));
        if (said?.status === "red") reds.push(JSON.stringify(said).slice(0, 600));
        await pause(100);
      }
    })();
    for (const node of nodes) {
      const run = spawn("bash", [join(scripts, "bounce-node.sh"), "logs", "logs", "a".repeat(12), "one"], {
        ...{ env: envOf(node), stdio: "ignore" },
      });
      expect(await once(run, "exit")).toEqual([0, null]);
    }
    ended.abort();
    await watch;
    expect(seen.size).toBeGreaterThan(0);
    expect(reds).toEqual([]);
    expect(await settings()).toEqual(found);
    expect(script(1, "bounce-node", "a".repeat(12), "one").stdout).toContain("already, nothing done");
    expect(script(1, "check-cluster")).toMatchObject({ status: 0 });
  });

  it("empties the spot zone under awareness, and returns entries of others", async () => {
    const found = await settings();
    expect(script(1, "clear-spot")).toMatchObject({ status: 0 });
    const shards = await ask<{ node: string }[]>("/_cat/shards?format=json");
    expect(shards.filter(({ node }) => node === "es3")).toEqual([]);
    expect(script(1, "return-spot")).toMatchObject({ status: 0 });
    expect(await settings()).toEqual(found);
  });

  it("starts the plan found again when the engine refuses the next one, with its own line", async () => {
    const found = await settings();
    unlinkSync(join(folder, "es1", "logs", "next"));
    symlinkSync(`plans/${"b".repeat(12)}`, join(folder, "es1", "logs", "next"));
    const { status, stderr } = script(1, "bounce-node", "b".repeat(12), "one");
    expect(status).toBe(77);
    expect(stderr).toContain("unknown setting [indices.no.such]");
    expect(stderr).toContain(`plan ${"a".repeat(12)} runs again`);
    expect(await settings()).toEqual(found);
  });

  it("refuses an index without replicas, and allocation that somebody else keeps off", async () => {
    await ask("/zero", { settings: { number_of_shards: 3, number_of_replicas: 0 } });
    expect(script(1, "bounce-node", "a".repeat(12), "two").stderr).toContain("the only copy of zero");
    await ask("/zero", {}, "DELETE");
    await ask("/_cluster/settings", { transient: { [enable]: "none" } });
    expect(script(1, "bounce-node", "a".repeat(12), "two")).toMatchObject({ status: 77 });
    await ask("/_cluster/settings", { transient: { [enable]: "all" } });
  });

  it("is put back by a watch when it is killed, and ended by a second run", async () => {
    const found = await settings();
    const run = spawn("bash", [join(scripts, "bounce-node.sh"), "logs", "logs", "a".repeat(12), "two"], {
      ...{ env: envOf(1), stdio: ["ignore", "ignore", "pipe"] },
    });
    await new Promise<void>((started) => {
      run.stderr.on("data", (text: Buffer) => {
        if (String(text).includes("starting")) started();
      });
    });
    run.kill("SIGKILL");
    await pause(300);
    systemctl(1, "kill", "-s", "KILL", "x");
    expect(await settings()).not.toEqual(found);
    spawnSync("python3", ["-I", join(scripts, "watch_leases.py"), "logs"], {
      env: envOf(2),
      timeout: 70_000,
    });
    expect(await settings()).toEqual(found);
    expect(script(1, "bounce-node", "a".repeat(12), "two")).toMatchObject({ status: 0 });
  });
});
