import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkoutFolder, root } from "../../config/places.ts";
import { createLab, hostUp, newLabId, removeLab, ssh, whyNoLab } from "../../tools/workshop/lab/lab.ts";
import type { Run } from "../support/engine.ts";
import { failed, ok } from "../support/runs.ts";

const minute = 60_000;
const names = ["alpha", "beta"] as const;

/** The lines that README has for two servers, as a reader types them. */
function linesOfReadme(): string[] {
  const [, lines = ""] =
    /^## Two servers of your own\n.*?^```\n(.*?)^```/ms.exec(readFileSync(join(root, "README.md"), "utf8")) ??
    [];
  return lines.split("\n").flatMap((line) => line.replace(/#.*$/, "").trim() || []);
}

/** A copy of this checkout, with a state of its own, and a user who has only what README names. */
class Clone {
  readonly #data = mkdtempSync(join(tmpdir(), "changeover-adopter-"));
  readonly folder = join(this.#data, "changeover");

  constructor() {
    execFileSync("cp", ["-a", root, this.folder]);
    rmSync(join(this.folder, ".git"), { recursive: true, force: true });
  }

  /** @param answers what is typed, a line each. */
  run(line: string, answers: readonly string[] = []): Promise<Run> {
    const own = Object.entries(process.env).filter(([name]) => !/^(PULUMI_|npm_|NODE_)/.test(name));
    const path = process.env.PATH?.split(delimiter).filter((folder) => !folder.startsWith(root));
    const child = spawn("bash", ["-c", line], {
      cwd: this.folder,
      env: {
        ...(Object.fromEntries(own) as Record<string, string>),
        PATH: path?.join(delimiter),
        XDG_DATA_HOME: this.#data,
        PULUMI_CREDENTIALS_PATH: this.#data,
        // There is no terminal to confirm on.
        PULUMI_SKIP_CONFIRMATIONS: "true",
      },
      stdio: ["pipe", "pipe", "pipe"],
      timeout: 3 * minute,
    });
    child.stdin.end(answers.map((answer) => `${answer}\n`).join(""));
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (data: Buffer) => (output += data.toString()));
    return new Promise((resolve) => {
      child.on("close", (code) => {
        resolve({ code, output });
      });
    });
  }

  remove(): void {
    const key = execFileSync("bash", ["-c", 'printf %s "$1" | sha256sum | cut -c1-8', "key", this.folder]);
    const chosen = join(checkoutFolder(), "..", `changeover-${key.toString().trim()}`);
    for (const folder of [this.#data, chosen]) rmSync(folder, { recursive: true, force: true });
  }
}

describe.skipIf(whyNoLab() !== undefined)("two blank servers, and README", () => {
  const id = newLabId();
  let clone: Clone;
  let subnet = "";
  let keyPath = "";
  let places: string[] = [];
  const at = (last: string) => subnet.replace(/\.0\/24$/, last);
  const on = async (host: string, command: string) => {
    const { code, stdout, stderr } = await ssh(id, host, command);
    expect(code, stderr).toBe(0);
    return stdout;
  };

  beforeAll(async () => {
    clone = new Clone();
    ({ subnet } = await createLab({ id, stack: "test", checkout: root }));
    const hosts = await Promise.all(names.map((name) => hostUp(id, name)));
    places = hosts.map(({ address }, index) => `${String(names[index])}=${address}`);
    keyPath = hosts[0]?.privateKeyPath ?? "";
  }, 10 * minute);

  afterAll(async () => {
    clone.remove();
    await removeLab(id);
  }, minute);

  it(
    "are a pair after the lines of README, in this order, each of them green",
    async () => {
      const lines = linesOfReadme();
      expect(lines).toEqual([
        "npm run setup",
        "npm run init",
        "npx pulumi stack init office",
        "npx pulumi preview",
        "npx pulumi up",
        "npm run verify",
        "npm run look",
      ]);
      const answers = ["", "", ...places, "", keyPath, at(".46"), "", "yes"];
      const said: string[] = [];
      for (const line of lines) {
        const run = await clone.run(line, line.endsWith("init") ? answers : []);
        expect(run.code, `${line}\n${run.output}`).toBe(0);
        said.push(run.output);
      }
      const [, init, , preview, up, verify, look] = said;
      for (const [name] of places.map((place) => place.split("=")))
        expect(init).toMatch(RegExp(`${String(name)} shows SHA256:`));
      expect(init).not.toContain("before the first update");
      for (const told of [preview, up]) expect(told).not.toMatch(/^ *(warning|error):/m);
      expect(verify).toContain("shop: as the state says");
      expect(look).toMatch(/shop: alpha: production, .*\nshop: beta: standby, /);
    },
    8 * minute,
  );

  const set = async (path: string, value: string) => {
    ok(await clone.run(`npx pulumi config set --path '${path}' ${value}`));
  };

  it(
    "tell an operator who may not look at the database, before anything is touched, and what to paste",
    async () => {
      await set("changeover:pairs.shop.clients[0]", "203.0.113.0/24");
      // No switch comes after this change, so that nobody has to look.
      ok(await clone.run("npx pulumi up --skip-preview"));
      await set("changeover:pairs.shop.production", "beta");
      const paste = `npx pulumi config set --path 'changeover:pairs.shop.clients[1]' ${at(".1")}/32`;
      const preview = await clone.run("npx pulumi preview");
      ok(preview);
      expect(preview.output).toContain(paste);
      const refused = await clone.run("npx pulumi up --skip-preview");
      failed(refused);
      expect(refused.output).toContain(`its address ${at(".1")} may not connect to the database`);
      expect(refused.output).not.toContain("shop-switch-claim");
      const [command = ""] = /npx pulumi config set --path \S+ \S+$/m.exec(refused.output) ?? [];
      expect(command).toBe(paste);
      ok(await clone.run(command));
      ok(await clone.run("npx pulumi up --skip-preview"));
      ok(await clone.run("npm run verify"));
    },
    5 * minute,
  );

  it(
    "go on with an open switch in one update, whatever of the pair's configuration changes meanwhile",
    async () => {
      // As if the first switch had run before this operator was a client.
      const forget = `sed -i '/ ${at(".1")}\\/32 /d' /etc/postgresql/15/shop/pg_hba.conf && cd / && runuser -u postgres -- psql -qc 'select pg_reload_conf()'`;
      for (const name of names) await on(name, forget);
      await set("changeover:pairs.shop.production", "alpha");
      const open = await clone.run("npx pulumi up --skip-preview");
      failed(open);
      const paste = `npx pulumi config set --path 'changeover:pairs.shop.clients[2]' ${at(".1")}/32`;
      expect(open.output).toMatch(/timed out after 30 s: .*:5432: no pg_hba\.conf entry for host/);
      expect(open.output).toContain(`; admit it: ${paste}`);
      const verify = await clone.run("npm run verify");
      expect(verify.code).toBe(77);
      expect(verify.output).toMatch(
        /^shop: 1 difference\(s\)\n {2}shop-switch \w{16} has not ended; continue: npx pulumi up\n$/m,
      );
      ok(await clone.run(paste));
      const up = await clone.run("npx pulumi up --skip-preview");
      ok(up);
      expect(up.output).toContain("shop-provision-configure");
      expect(up.output).not.toMatch(/shop-switch-takeover creat/);
      ok(await clone.run("npm run verify"));
      expect(await on("alpha", "cat /etc/shop/shop.status")).toBe("production\n");
    },
    5 * minute,
  );
});
