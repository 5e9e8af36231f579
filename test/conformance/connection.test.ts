import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { copyFileSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import ssh2 from "ssh2";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Run } from "../support/engine.ts";
import { Bench, remote, taken, type TestHost } from "./bench.ts";

let bench: Bench;
let slayer: TestHost;
let bastion: TestHost;
let run: Run;
let seconds: number;
const ending: (() => void)[] = [];

/** Each case is a step of this name; all of them run in one update that goes on when a step fails. */
async function connections(): Promise<Record<string, Record<string, unknown>>> {
  const { privateKey: _, ...keyless } = slayer.connection;
  const sealed = join(bench.folder, "sealed_key");
  copyFileSync(slayer.sshd.privateKeyPath, sealed);
  execFileSync("ssh-keygen", ["-q", "-p", "-P", "", "-N", "open sesame", "-f", sealed]);
  const sealedKey = execFileSync("cat", [sealed], { encoding: "utf8" });
  const flaky = await relay(Number(slayer.connection.port), 2);
  return {
    key: slayer.connection,
    "sealed-key": { ...keyless, privateKey: sealedKey, privateKeyPassword: "open sesame" },
    "sealed-key-unopened": { ...keyless, privateKey: sealedKey },
    "foreign-key": { ...keyless, privateKey: bastion.sshd.privateKey },
    agent: { ...keyless, agentSocketPath: agent(slayer.sshd.privateKeyPath) },
    "agent-gone": { ...keyless, agentSocketPath: join(bench.folder, "no-agent") },
    password: { ...(await passwordHost("password")), password: "tell no one" },
    questions: { ...(await passwordHost("keyboard-interactive")), password: "tell no one" },
    "password-wrong": { ...(await passwordHost("password")), password: "anyone" },
    "host-key-wrong": { ...slayer.connection, hostKey: bastion.connection.hostKey },
    "host-key-garbled": { ...slayer.connection, hostKey: "ssh-ed25519 nonsense" },
    proxy: { ...slayer.connection, proxy: bastion.connection },
    "proxy-host-key-wrong": {
      ...slayer.connection,
      proxy: { ...bastion.connection, hostKey: slayer.connection.hostKey },
    },
    refused: { ...slayer.connection, port: 1, dialErrorLimit: 2 },
    flaky: { ...slayer.connection, port: flaky, dialErrorLimit: 5 },
    silent: { ...slayer.connection, port: await silentPort(), perDialTimeout: 1 },
    endless: { ...slayer.connection, port: 1, dialErrorLimit: -1 },
  };
}

beforeAll(async () => {
  bench = await Bench.start();
  slayer = await bench.host("slayer");
  bastion = await bench.host("bastion", [`AllowTcpForwarding yes`]);
  const steps = Object.entries(await connections()).map(([name, connection]) =>
    remote(
      slayer,
      { connection, create: `echo ${name} >>$HERE/did; echo ${name}` },
      { name, customTimeouts: { create: "3s" } },
    ),
  );
  bench.want({ resources: steps });
  const start = performance.now();
  run = await bench.project.up("--continue-on-error");
  seconds = (performance.now() - start) / 1000;
}, 120_000);

afterAll(async () => {
  for (const end of ending) end();
  await bench.stop();
});

/** What the run's diagnostics say of a step. */
function said(name: string): string {
  const diagnostics = run.output.slice(run.output.indexOf("\nDiagnostics:"));
  return diagnostics.split(/^ {2}(?=\S)/m).find((part) => part.includes(`(${name}):`)) ?? "";
}

describe("a connection", () => {
  test.each(["key", "sealed-key", "agent", "password", "questions", "proxy", "flaky"])(
    "logs in by %s",
    (name) => {
      expect(bench.stateOf(name)?.outputs?.stdout, said(name)).toBe(name);
    },
  );

  test.each([
    ["sealed-key-unopened", /passphrase|encrypted/i],
    ["foreign-key", /after 0 failed attempts: ssh: handshake failed: ssh: unable to authenticate/],
    ["agent-gone", /dial unix .*no-agent: connect: no such file or directory/],
    ["password-wrong", /unable to authenticate/],
    ["host-key-wrong", /after 0 failed attempts: ssh: handshake failed: ssh: host key mismatch/],
    ["host-key-garbled", /failed to parse host key/],
    ["proxy-host-key-wrong", /proxy: after 0 failed attempts: ssh: handshake failed: ssh: host key mismatch/],
    ["refused", /after 2 failed attempts: dial tcp 127\.0\.0\.1:1: connect: connection refused/],
    ["silent", /after 0 failed attempts: dial tcp 127\.0\.0\.1:\d+: i\/o timeout/],
    ["endless", /context deadline exceeded/],
  ])("with %s fails and says why", (name, why) => {
    expect(said(name)).toMatch(why);
    expect(bench.stateOf(name)).toBeUndefined();
  });

  test("that fails runs nothing", () => {
    expect(taken(slayer).sort()).toEqual(["agent", "flaky", "key", "proxy", "sealed-key"]);
  });

  test("tells of each attempt that failed", () => {
    expect(run.output).toContain("Dial 1/2 failed: retrying");
    expect(run.output).toContain("Dial 1/inf failed: retrying");
  });

  test("through a proxy is one to the proxy and one to the host", () => {
    expect(bastion.sshd.connections()).toBe(1);
  });

  test("costs no more than its limits", () => {
    expect(seconds).toBeLessThan(20);
  });
});

/** Breaks the first `failures` connections, then hands each one on. */
async function relay(port: number, failures: number): Promise<number> {
  let left = failures;
  return listen(
    createServer((client) => {
      if (left-- > 0) {
        client.destroy();
        return;
      }
      const server = connect(port, "127.0.0.1");
      client.pipe(server).pipe(client);
      for (const end of [client, server]) end.on("error", () => undefined);
    }),
  );
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      ending.push(() => server.close());
      const address = server.address();
      resolve(typeof address === "object" && address ? address.port : 0);
    });
  });
}

/** An agent that holds this key; its socket. */
function agent(key: string): string {
  const socket = join(bench.folder, "agent");
  const child = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
  ending.push(() => child.kill());
  const add = `for i in $(seq 100); do [ -S ${socket} ] && exec ssh-add -q ${key}; sleep 0.05; done; exit 1`;
  execFileSync("sh", ["-c", add], { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: "ignore" });
  return socket;
}

/** A host that takes only a password, by one way of asking; it says the step's name without running anything. */
async function passwordHost(way: "password" | "keyboard-interactive"): Promise<Record<string, unknown>> {
  const { private: key, public: publicKey } = ssh2.utils.generateKeyPairSync("ed25519");
  const server = new ssh2.Server({ hostKeys: [key] }, (client) => {
    client.on("error", () => undefined);
    client.on("authentication", (context) => {
      if (context.method !== way) {
        context.reject([way]);
        return;
      }
      const judge = (password: string | undefined) =>
        password === "tell no one" ? context.accept() : context.reject([way]);
      if (context.method === "password") judge(context.password);
      else context.prompt([{ prompt: "Password: ", echo: false }], ([answer]) => judge(answer));
    });
    client.on("session", (accept) => {
      accept().on("exec", (acceptCommand, _reject, { command }) => {
        const channel = acceptCommand();
        channel.write(`${command.split(" ").at(-1) ?? ""}\n`);
        channel.exit(0);
        channel.end();
      });
    });
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      ending.push(() => server.close());
      resolve((server.address() as { port: number }).port);
    });
  });
  const hostKey = publicKey.split(" ").slice(0, 2).join(" ");
  return { host: "127.0.0.1", port, user: "anyone", hostKey, dialErrorLimit: 0 };
}

/** A port on which connections are never taken: its owner is stopped and its queue is full. */
async function silentPort(): Promise<number> {
  const script =
    "const s = require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(s.address().port))";
  const owner: ChildProcess = spawn(process.execPath, ["-e", script], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const port = await new Promise<number>((resolve) =>
    owner.stdout?.once("data", (data: Buffer) => resolve(Number(data.toString()))),
  );
  owner.kill("SIGSTOP");
  const fillers: Socket[] = Array.from({ length: 8 }, () => connect(port, "127.0.0.1"));
  for (const filler of fillers) filler.on("error", () => undefined);
  await new Promise((resolve) => setTimeout(resolve, 200));
  ending.push(() => {
    for (const filler of fillers) filler.destroy();
    owner.kill("SIGKILL");
  });
  return port;
}
