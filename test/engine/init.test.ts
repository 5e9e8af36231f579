import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { parseConfig } from "../../config.ts";
import { Project, type Run } from "../support/engine.ts";
import { failed, ok } from "../support/runs.ts";
import { type Sshd, startSshd } from "../support/sshd.ts";
import { stackKeys } from "../support/stack-file.ts";

const root = join(import.meta.dirname, "..", "..");

describe("npm run init", () => {
  let folder: string;
  let servers: readonly Sshd[];

  beforeAll(async () => {
    // Two addresses of loopback: two names for one address are refused.
    servers = await Promise.all(
      ["alpha", "beta"].map((name) => startSshd({ name, config: ["ListenAddress 127.0.0.2"] })),
    );
  });
  afterAll(async () => {
    for (const sshd of servers) await sshd.stop();
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "changeover-init-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  /** @param answers what is typed, a line each. */
  const init = (flags: readonly string[], answers: readonly string[] = []): Promise<Run> => {
    const child = spawn(process.execPath, [join(root, "tools", "init.ts"), "--folder", folder, ...flags], {
      stdio: ["pipe", "pipe", "pipe"],
      timeout: 30_000,
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
  };
  const places = () =>
    servers.map(({ name, port }, index) => `${name}=127.0.0.${String(index + 1)}:${String(port)}`);
  const flags = (): string[] => {
    const [primary = "", secondary = ""] = places();
    const { user, privateKeyPath } = servers[0]!;
    return [
      ...["--stack", "office", "--pair", "shop", "--primary", primary, "--secondary", secondary],
      ...["--user", user, "--key", privateKeyPath, "--service-address", "127.0.0.46"],
      ...["--clients", "127.0.0.0/8,192.0.2.0/24", "--compared"],
    ];
  };
  const file = () => join(folder, "Pulumi.office.yaml");
  const parsed = () =>
    parseConfig(stackKeys(readFileSync(file(), "utf8")), "Pulumi.office.yaml") as unknown as {
      readonly hosts: Record<string, { readonly hostKey: string }>;
      readonly pairs: Record<string, { readonly clients: readonly string[]; readonly production: string }>;
    };

  it("writes the stack file from flags, with the keys that the servers show, and names the next two commands", async () => {
    const run = await init(flags());
    ok(run);
    const { hosts, pairs } = parsed();
    for (const { name, hostKey } of servers) expect(hosts[name]?.hostKey).toBe(hostKey.trim());
    expect(pairs.shop).toMatchObject({
      production: "alpha",
      clients: ["127.0.0.0/8", "192.0.2.0/24"],
    });
    expect(run.output).toMatch(/next: npx pulumi stack init office\n +npx pulumi preview\n$/);
    // The fingerprint is what a person compares: the same as OpenSSH prints.
    const own = join(folder, "alpha.pub");
    writeFileSync(own, servers[0]!.hostKey);
    const printed = execFileSync("ssh-keygen", ["-lf", own], { encoding: "utf8" });
    const fingerprint = /SHA256:\S+/.exec(printed)?.[0] ?? "none";
    expect(run.output).toContain(
      `alpha shows ${fingerprint}; compare it on alpha: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`,
    );
  });

  it("writes it as the CLI does: `stack init` adds the salt alone", async () => {
    ok(await init(flags()));
    const written = readFileSync(file(), "utf8");
    const project = new Project(root);
    try {
      writeFileSync(join(project.folder, "Pulumi.test.yaml"), written);
      ok(await project.pulumi(["stack", "init", "test"]));
      const begun = readFileSync(join(project.folder, "Pulumi.test.yaml"), "utf8");
      expect(begun.slice(0, written.length)).toBe(written);
      expect(begun.slice(written.length)).toMatch(/^encryptionsalt: \S+\n$/);
    } finally {
      project.remove();
    }
  });

  it("asks for what no flag names, again after an answer that is not allowed, and takes the usual answers", async () => {
    const [primary = "", secondary = ""] = places();
    const { user, privateKeyPath } = servers[0]!;
    const answers = ["", "Shop", "shop", "127.0.0.1", primary, secondary, user, privateKeyPath];
    const run = await init([], [...answers, "127.0.0.46", "", "no", "yes"]);
    ok(run);
    expect(run.output).toContain("Name of the stack [office]: ");
    expect(run.output).toContain('"Shop" is not allowed; allowed: at most 31 lower-case letters');
    expect(run.output).toContain('"127.0.0.1" is not allowed; allowed: NAME=ADDRESS, for example alpha=');
    expect(run.output).toContain('"no" is not allowed; allowed: yes, after a look at both');
    // The machine that runs `up` is a client unless another answer is given.
    expect(parsed().pairs.shop?.clients).toEqual(["127.0.0.1/32"]);
  });

  it("says which login will be refused, before the first update", async () => {
    const [alpha, beta] = servers;
    const [first = "", ...more] = flags();
    const run = await init([first, ...more, "--key", beta!.privateKeyPath]);
    ok(run);
    expect(run.output).toMatch(
      /before the first update: alpha refuses the operator's key; put the public key into its authorized_keys .*\(\w+@127\.0\.0\.1:\d+\)/,
    );
    expect(run.output).not.toContain("before the first update: beta");
    expect(alpha!.log()).toContain("Connection from");
  });

  it.each([
    [
      "a server that does not answer",
      () => ["--secondary", "beta=127.0.0.3:9"],
      /no SSH server answers at 127\.0\.0\.3:9 within 5 s; start it, or name another address/,
    ],
    [
      "a flag that is not allowed",
      () => ["--clients", "192.0.2.1/24"],
      /"192\.0\.2\.1\/24" is not allowed; allowed: networks such as 192\.0\.2\.0\/24/,
    ],
    [
      "what the stack file refuses",
      () => ["--service-address", "127.0.0.1"],
      /Pulumi\.office\.yaml has 1 problem; nothing was touched:\n.*serviceAddress: "127\.0\.0\.1" is changeover:hosts\.alpha\.address already/,
    ],
    ["an unknown flag", () => ["--clinets", "x"], /Unknown option '--clinets'/],
  ])("writes nothing for %s", async (_, change, message) => {
    const run = await init([...flags(), ...change()]);
    failed(run);
    expect(run.output).toMatch(message);
    expect(existsSync(file())).toBe(false);
  });

  it("writes nothing before the keys were compared, and overwrites nothing", async () => {
    const unanswered = await init(flags().filter((word) => word !== "--compared"));
    failed(unanswered);
    expect(unanswered.output).toContain('no answer to "Are both the same there"; nothing was written');
    expect(existsSync(file())).toBe(false);
    writeFileSync(file(), "mine\n");
    const again = await init(flags());
    failed(again);
    expect(again.output).toContain("Pulumi.office.yaml exists; name another stack: npm run init -- --stack");
    expect(readFileSync(file(), "utf8")).toBe("mine\n");
  });
});
