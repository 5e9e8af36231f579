import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import ssh2 from "ssh2";

/** How to reach a host, as the plugin's `connection` input has it, defaults filled in. */
export interface Connection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password?: string;
  readonly privateKey?: string;
  readonly privateKeyPassword?: string;
  readonly agentSocketPath?: string;
  /** A line as in `known_hosts`, without the name: type and key. */
  readonly hostKey?: string;
  /** Failed attempts until giving up; -1 never gives up. */
  readonly dialErrorLimit: number;
  /** Seconds for the TCP connection of each attempt; 0 waits for ever. */
  readonly perDialTimeout: number;
  readonly proxy?: Omit<Connection, "proxy">;
}

const firstDelay = 100;
const longestDelay = 5000;
const growth = 1.5;

type Endpoint = Omit<Connection, "proxy">;

/**
 * Connects, trying again with growing pauses, through the proxy where there is one.
 * @param tell called with the news of each failed attempt.
 * @throws Error after `dialErrorLimit` failed attempts, or at once when a key or the agent cannot be used.
 */
export async function dial(
  connection: Connection,
  tell: (news: string) => void,
  signal: AbortSignal,
): Promise<ssh2.Client> {
  const { proxy } = connection;
  await requireUsable(connection);
  if (!proxy) return retry("Dial", connection, tell, signal, () => dialOnce(connection));
  try {
    await requireUsable(proxy);
    const bastion = await retry("Dial proxy", proxy, tell, signal, () => dialOnce(proxy));
    try {
      const through = await retry("Dial from proxy", connection, tell, signal, () =>
        forward(bastion, connection),
      );
      const client = await handshake(connection, through);
      client.once("close", () => bastion.end());
      return client;
    } catch (error) {
      bastion.end();
      throw error;
    }
  } catch (error) {
    throw new Error(`proxy: ${messageOf(error)}`, { cause: error });
  }
}

async function retry<T>(
  what: string,
  { dialErrorLimit: limit }: Endpoint,
  tell: (news: string) => void,
  signal: AbortSignal,
  attempt: () => Promise<T>,
): Promise<T> {
  let delay = firstDelay;
  for (let tries = 0; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (limit > -1 && tries >= limit)
        throw new Error(`after ${String(tries)} failed attempts: ${messageOf(error)}`, { cause: error });
    }
    tell(`${what} ${String(tries + 1)}/${limit === -1 ? "inf" : String(limit)} failed: retrying`);
    await pause(Math.min(delay, longestDelay), undefined, { signal }).catch(() => {
      throw signal.reason as Error;
    });
    delay *= growth;
  }
}

async function dialOnce(endpoint: Endpoint): Promise<ssh2.Client> {
  return handshake(endpoint, await openSocket(endpoint));
}

function openSocket({ host, port, perDialTimeout }: Endpoint): Promise<Socket> {
  const named = `dial tcp ${host}:${String(port)}`;
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, keepAlive: true, keepAliveInitialDelay: 15000, noDelay: true });
    const timer =
      perDialTimeout > 0
        ? setTimeout(() => socket.destroy(new Error("i/o timeout")), perDialTimeout * 1000)
        : undefined;
    socket.once("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      reject(new Error(`${named}: ${reasonOf(error)}`));
    });
    socket.once("connect", () => {
      clearTimeout(timer);
      resolve(socket);
    });
  });
}

const reasons: Record<string, string> = {
  ECONNREFUSED: "connect: connection refused",
  EHOSTUNREACH: "connect: no route to host",
  ENETUNREACH: "connect: network is unreachable",
  ETIMEDOUT: "connect: connection timed out",
  ENOTFOUND: "no such host",
  ENOENT: "connect: no such file or directory",
};

const reasonOf = (error: NodeJS.ErrnoException): string => reasons[error.code ?? ""] ?? error.message;

function forward(bastion: ssh2.Client, { host, port }: Endpoint): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    bastion.forwardOut("127.0.0.1", 0, host, port, (error, channel) => {
      if (error) reject(new Error(`ssh: rejected: connect failed (${error.message})`));
      else resolve(channel);
    });
  });
}

function handshake(endpoint: Endpoint, sock: Duplex): Promise<ssh2.Client> {
  const client = new ssh2.Client();
  const pinned = endpoint.hostKey === undefined ? undefined : parseHostKey(endpoint.hostKey);
  let foreign = false;
  return new Promise((resolve, reject) => {
    client.once("ready", () => resolve(client));
    // Not once: a connection that breaks can say so more than once, and an error nobody hears would end this process.
    client.on("error", (error) => {
      client.destroy();
      reject(
        new Error(`ssh: handshake failed: ${foreign ? "ssh: host key mismatch" : explain(error, endpoint)}`),
      );
    });
    client.once("close", () => reject(new Error("ssh: handshake failed: EOF")));
    client.on("keyboard-interactive", (_name, _instructions, _language, prompts, answer) =>
      answer(prompts.map(() => endpoint.password ?? "")),
    );
    client.connect({
      // The real plugin bounds the TCP connection only; a host that hangs here hangs there too.
      readyTimeout: 0,
      sock,
      username: endpoint.user,
      ...credentialsOf(endpoint),
      ...(pinned && { algorithms: { serverHostKey: pinned.algorithms } }),
      hostVerifier: (key: Buffer) => {
        foreign = pinned !== undefined && !key.equals(pinned.key);
        return !foreign;
      },
    });
  });
}

/** Names every way of logging in by which the host was asked, as the host's own log would. */
function explain(error: Error & { level?: string }, endpoint: Endpoint): string {
  if (error.level !== "client-authentication") return error.message;
  const { authHandler } = credentialsOf(endpoint);
  const tried = authHandler.map((way) => (way === "agent" ? "publickey" : way)).join(" ");
  return `ssh: unable to authenticate, attempted methods [${tried}], no supported methods remain`;
}

function credentialsOf({ privateKey, privateKeyPassword, password, agentSocketPath }: Endpoint) {
  // With a key of its own the agent is not asked, as in the real plugin.
  const agent = privateKey === undefined ? (agentSocketPath ?? process.env.SSH_AUTH_SOCK) : undefined;
  const authHandler: ssh2.AuthenticationType[] = ["none"];
  if (privateKey !== undefined) authHandler.push("publickey");
  if (password !== undefined) authHandler.push("password", "keyboard-interactive");
  if (agent) authHandler.push("agent");
  return {
    authHandler,
    tryKeyboard: password !== undefined,
    ...(privateKey !== undefined && { privateKey }),
    ...(privateKeyPassword !== undefined && { passphrase: privateKeyPassword }),
    ...(password !== undefined && { password }),
    ...(agent && { agent }),
  };
}

function parseHostKey(line: string): { key: Buffer; algorithms: ssh2.ServerHostKeyAlgorithm[] } {
  const [type = "", key = ""] = line.trim().split(/\s+/);
  const parsed = ssh2.utils.parseKey(`${type} ${key}`);
  if (parsed instanceof Error) throw new Error(`failed to parse host key: ${parsed.message}`);
  const rsa = ["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"];
  const algorithms = (type === "ssh-rsa" ? rsa : [type]) as ssh2.ServerHostKeyAlgorithm[];
  return { key: parsed.getPublicSSH(), algorithms };
}

/** A key that cannot be read or an agent that is not there is a fault of this machine, which no second attempt mends. */
async function requireUsable(endpoint: Endpoint): Promise<void> {
  const { agentSocketPath, hostKey, privateKey, privateKeyPassword } = endpoint;
  if (hostKey !== undefined) parseHostKey(hostKey);
  if (privateKey !== undefined) {
    const key = ssh2.utils.parseKey(privateKey, privateKeyPassword);
    if (key instanceof Error) throw new Error(`ssh: ${key.message}`);
  }
  const path = agentSocketPath ?? process.env.SSH_AUTH_SOCK;
  if (!path) return;
  await new Promise<void>((resolve, reject) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve();
    });
    socket.once("error", (error: NodeJS.ErrnoException) =>
      reject(new Error(`dial unix ${path}: ${reasonOf(error)}`)),
    );
  });
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** As ssh2 has it; its types leave the variables out. */
interface WithVariables {
  sftp(variables: Record<string, string>, done: (error?: Error, sftp?: ssh2.SFTPWrapper) => void): void;
}

/** Whether sshd takes this variable from us; `AcceptEnv` decides, and only asking tells. */
export function acceptsVariable(client: ssh2.Client, name: string, value: string): Promise<boolean> {
  return new Promise((resolve) => {
    (client as unknown as WithVariables).sftp({ [name]: value }, (error, sftp) => {
      sftp?.end();
      resolve(error?.message !== "Unable to set environment");
    });
  });
}
