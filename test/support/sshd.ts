import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { childrenOf } from "./processes.ts";

const binary = "/usr/sbin/sshd";
const startSeconds = 10;

/** A host for tests: OpenSSH's own server on loopback, run by the user who runs the test. */
export interface Sshd {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Type and key, as the plugin's `hostKey` wants it. */
  readonly hostKey: string;
  readonly privateKeyPath: string;
  readonly privateKey: string;
  /** Logins since the start. */
  connections(): number;
  /** TCP connections since the start, those that never logged in too. */
  dials(): number;
  /** Whole log so far. */
  log(): string;
  /** Hang: TCP still connects, nothing answers. */
  pause(): void;
  resume(): void;
  /** Ends the server, its sessions and their commands, and removes its folder. */
  stop(): Promise<void>;
}

/**
 * Starts a host.
 * @param options.env variables that each session has, so that commands know on which "host" they run.
 * @param options.config further lines for sshd_config; the first of two equal keywords counts, and these come first.
 * @throws Error when sshd is not installed or does not listen within 10 s.
 */
export async function startSshd(options: {
  readonly name: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly config?: readonly string[];
}): Promise<Sshd> {
  if (!existsSync(binary)) throw new Error(`${binary} is missing; install openssh-server`);
  const folder = mkdtempSync(join(tmpdir(), `changeover-sshd-${options.name}-`));
  const hostKey = makeKey(join(folder, "host_key"));
  const clientKey = makeKey(join(folder, "client_key"));
  writeFileSync(join(folder, "authorized_keys"), `${clientKey}\n`);
  const privateKeyPath = join(folder, "client_key");
  const { server, port } = await listen(folder, options);
  const logFile = join(folder, "log");
  const count = (pattern: RegExp) => readFileSync(logFile, "utf8").match(pattern)?.length ?? 0;
  const end = () => server.kill("SIGKILL");
  process.once("exit", end);
  return {
    name: options.name,
    host: "127.0.0.1",
    port,
    user: userInfo().username,
    hostKey,
    privateKeyPath,
    privateKey: readFileSync(privateKeyPath, "utf8"),
    connections: () => count(/^Accepted (?:publickey|password|keyboard-interactive)/gm),
    dials: () => count(/^Connection from /gm),
    log: () => readFileSync(logFile, "utf8"),
    pause: () => server.kill("SIGSTOP"),
    resume: () => server.kill("SIGCONT"),
    stop: async () => {
      process.removeListener("exit", end);
      await stop(server);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function makeKey(file: string): string {
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", file]);
  return readFileSync(`${file}.pub`, "utf8").trim();
}

async function listen(
  folder: string,
  options: Parameters<typeof startSshd>[0],
): Promise<{ server: ChildProcess; port: number }> {
  // Another process may take the free port before sshd does; then the next one is tried.
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    writeFileSync(join(folder, "config"), configOf(folder, port, options).join("\n"));
    const server = run(folder);
    const failure = await listening(server, join(folder, "log"));
    if (failure === undefined) return { server, port };
    server.kill("SIGKILL");
    if (attempt === 3 || !failure.includes("Address already in use"))
      throw new Error(`sshd for ${options.name} did not start: ${failure}`);
  }
}

function configOf(
  folder: string,
  port: number,
  { env = {}, config = [] }: Parameters<typeof startSshd>[0],
): string[] {
  const variables = Object.entries(env).map(([name, value]) => `"${name}=${value}"`);
  return [
    ...config,
    `Port ${String(port)}`,
    "ListenAddress 127.0.0.1",
    `HostKey ${join(folder, "host_key")}`,
    `AuthorizedKeysFile ${join(folder, "authorized_keys")}`,
    "PidFile none",
    "StrictModes no",
    "UsePAM no",
    "PermitRootLogin yes",
    "PasswordAuthentication no",
    "LogLevel VERBOSE",
    "MaxStartups 500",
    "MaxSessions 100",
    "Subsystem sftp internal-sftp",
    ...(variables.length > 0 ? [`SetEnv ${variables.join(" ")}`] : []),
    "",
  ];
}

function run(folder: string): ChildProcess {
  // sshd refuses to run as root without this folder, which Debian's service makes.
  if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
  const log = openSync(join(folder, "log"), "w");
  const server = spawn(binary, ["-D", "-e", "-f", join(folder, "config")], { stdio: ["ignore", log, log] });
  closeSync(log);
  return server;
}

/** Undefined once sshd listens, else its log. */
async function listening(server: ChildProcess, logFile: string): Promise<string | undefined> {
  const deadline = Date.now() + startSeconds * 1000;
  while (Date.now() < deadline && server.exitCode === null) {
    if (readFileSync(logFile, "utf8").includes("Server listening on")) return undefined;
    await pause(10);
  }
  return readFileSync(logFile, "utf8") || `nothing heard of it for ${String(startSeconds)} s`;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

async function stop(server: ChildProcess): Promise<void> {
  const below = server.pid === undefined ? [] : childrenOf(server.pid);
  const ended = server.exitCode === null && server.signalCode === null;
  const gone = ended ? new Promise((resolve) => server.once("exit", resolve)) : Promise.resolve();
  server.kill("SIGKILL");
  for (const { pid } of below) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
  await gone;
}
