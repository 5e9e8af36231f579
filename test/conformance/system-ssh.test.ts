import { execFile, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SshTarget } from "../../platforms/platform.ts";
import { sshArguments } from "../../platforms/ssh-arguments.ts";
import { sshConfigOf } from "../../platforms/ssh-config.ts";
import { type Sshd, startSshd } from "../support/sshd.ts";

let slayer: Sshd;
let aud: Sshd;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "changeover-ssh-"));
  const start = (name: string) => startSshd({ name, env: { HOST: name } });
  [slayer, aud] = await Promise.all([start("slayer"), start("aud")]);
});

afterAll(async () => {
  await Promise.all([slayer.stop(), aud.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

const targetOf = ({ host, port, user, hostKey, privateKeyPath }: Sshd): SshTarget => ({
  host,
  port,
  user,
  hostKey,
  privateKeyPath,
});

function run(args: readonly string[]): Promise<{ code: number; said: string }> {
  return new Promise((resolve) => {
    execFile("ssh", [...args, "echo $HOST"], { timeout: 20_000 }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code ?? -1) : 0, said: (stdout + stderr).trim() });
    });
  });
}

const login = (target: SshTarget) => run(sshArguments(target));

describe("the system's ssh with our arguments", () => {
  it("logs in, and says nothing of its own", async () => {
    expect(await login(targetOf(slayer))).toEqual({ code: 0, said: "slayer" });
  });

  it("takes a key from a folder with a space and a percent sign", async () => {
    const keys = join(folder, "my 100% keys");
    mkdirSync(keys, { recursive: true });
    copyFileSync(slayer.privateKeyPath, join(keys, "key"));
    expect(await login({ ...targetOf(slayer), privateKeyPath: join(keys, "key") })).toEqual({
      code: 0,
      said: "slayer",
    });
  });

  it("refuses a host that shows another key", async () => {
    const { code, said } = await login({ ...targetOf(slayer), hostKey: aud.hostKey });
    expect(code).toBe(255);
    expect(said).toContain("Host key verification failed.");
  });

  it("goes through a bastion, whose login is not the host's", async () => {
    const before = aud.connections();
    expect(await login({ ...targetOf(slayer), proxy: targetOf(aud) })).toEqual({ code: 0, said: "slayer" });
    expect(aud.connections()).toBe(before + 1);
  });

  it("refuses a bastion that shows another key, and a host behind one", async () => {
    const [host, bastion] = [targetOf(slayer), targetOf(aud)];
    const before = slayer.dials();
    const wrongBastion = await login({ ...host, proxy: { ...bastion, hostKey: slayer.hostKey } });
    expect(wrongBastion.said).toContain("Host key verification failed.");
    expect(slayer.dials()).toBe(before);
    const wrongHost = await login({ ...host, hostKey: aud.hostKey, proxy: bastion });
    expect(wrongHost).toMatchObject({
      code: 255,
      said: expect.stringContaining("verification failed") as string,
    });
  });

  it("gives a host up that takes the connection and says nothing", async () => {
    slayer.pause();
    try {
      const started = performance.now();
      const { code, said } = await run(sshArguments(targetOf(slayer), { connectTimeout: 1 }));
      expect(code).toBe(255);
      expect(said).toContain("timed out");
      expect(performance.now() - started).toBeLessThan(5000);
    } finally {
      slayer.resume();
    }
  });
});

describe("the system's ssh with the stack's ssh_config", () => {
  it("knows each host by its alias, through its bastion [002-024] [002-114]", async () => {
    const file = join(folder, "ssh_config");
    const targets = new Map([
      ["aud", targetOf(aud)],
      ["slayer", { ...targetOf(slayer), proxy: targetOf(aud) }],
    ]);
    writeFileSync(file, sshConfigOf(targets));
    const before = aud.connections();
    expect(await run(["-F", file, "slayer"])).toEqual({ code: 0, said: "slayer" });
    expect(aud.connections()).toBe(before + 1);
  });

  it("refuses a host that shows another key", async () => {
    const file = join(folder, "wrong_config");
    writeFileSync(file, sshConfigOf(new Map([["slayer", { ...targetOf(slayer), hostKey: aud.hostKey }]])));
    expect(await run(["-F", file, "slayer"])).toMatchObject({
      code: 255,
      said: expect.stringContaining("Host key verification failed.") as string,
    });
  });
});

describe("the wait for a machine that starts", () => {
  const tool = join(import.meta.dirname, "..", "..", "platforms", "aws", "await-ssh.ts");
  const wait = (target: SshTarget, seconds: number) =>
    spawnSync(process.execPath, [tool, "slayer", String(seconds)], {
      input: JSON.stringify(target),
      encoding: "utf8",
      timeout: 20_000,
    });

  it("ends when the machine answers", () => {
    const { status, stdout } = wait(targetOf(slayer), 10);
    expect([status, stdout]).toEqual([0, expect.stringMatching(/^slayer answers after \d+ s\n$/)]);
  });

  it("ends at its deadline when it does not", async () => {
    const lost = await startSshd({ name: "lost" });
    const target = targetOf(lost);
    await lost.stop();
    const { status, stderr } = wait(target, 1);
    expect(status).toBe(75);
    expect(stderr).toContain("slayer at 127.0.0.1 did not answer within 1 s; look at its console");
  });
});
