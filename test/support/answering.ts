import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { receiptLine } from "../../transition/receipt.ts";
import { localCommand } from "../../tools/workshop/offline/local.ts";
import { uniqueId } from "../../tools/workshop/offline/inputs.ts";
import { listenAsProvider, type Context, type Resource } from "../../tools/workshop/offline/provider.ts";
import { copyToRemote, remoteCommand } from "../../tools/workshop/offline/remote.ts";
import { plainProperties, type Value } from "../../tools/workshop/offline/values.ts";

/** A step that was run, as far as the plugin sees it. Times are ms since 1970. */
export interface Answered {
  /** The resource's name. */
  readonly name: string;
  /** Its triggers; empty for what is none of a transition. */
  readonly triggers: Readonly<Record<string, string>>;
  readonly command: string;
  readonly began: number;
  readonly ended: number;
}

/** How long each step is said to have taken, in seconds. */
const took = 0.5;

/** Longer than two steps need that do not wait for each other, so that their times overlap. */
const answerMs = 4;

/**
 * The plugin `command` in the test's own process. Nothing is run and nothing is dialled: each command is answered as a host would
 * whose steps all go well, and is recorded.
 */
export class AnsweringHosts {
  /** Steps with these names fail. */
  readonly failing = new Set<string>();
  /** Steps with these names say that what they saw is bad. */
  readonly bad = new Set<string>();
  /** How long steps take, in ms, where it is not the usual time. */
  readonly slow = new Map<string, number>();
  /** The version that the hosts have when it is recorded as green. */
  version = "7.3.0-1";
  #answered: Answered[] = [];
  #epoch = 0;
  /** The clock of the hosts: each step begins when the one before has ended. */
  #clock = Date.parse("2026-11-30T10:00:00.000Z");
  readonly #close: (() => void)[] = [];
  #ports = "";

  static async start(): Promise<AnsweringHosts> {
    const hosts = new AnsweringHosts();
    const resources: Record<string, Resource> = {
      "command:local:Command": hosts.#answering(localCommand),
      "command:remote:Command": hosts.#answering(remoteCommand),
      "command:remote:CopyToRemote": hosts.#copying(),
    };
    const { port, close } = await listenAsProvider({
      name: "command",
      version: "1.2.1",
      resource: (type) => resources[type],
      types: Object.keys(resources),
    });
    hosts.#ports = `command:${String(port)}`;
    hosts.#close.push(close);
    return hosts;
  }

  /** What `PULUMI_DEBUG_PROVIDERS` is for an engine that shall use it. */
  get ports(): string {
    return this.#ports;
  }

  /** Steps that were run since the last call, in the order in which they began. */
  taken(): Answered[] {
    const taken = this.#answered.sort((one, other) => one.began - other.began);
    this.#answered = [];
    return taken;
  }

  stop(): void {
    for (const close of this.#close) close();
  }

  #answering(real: Resource): Resource {
    return {
      ...real,
      create: async (given, context) => {
        const inputs = plainProperties(given);
        const { create, triggers } = inputs;
        const said = typeof create === "string" ? await this.#answer(create, triggers, context) : "";
        return { id: uniqueId(context.name), outputs: { ...given, stdout: said, stderr: "" } };
      },
      update: () => Promise.reject(new Error("no step is updated in place")),
      delete: () => Promise.resolve(),
    };
  }

  #copying(): Resource {
    return {
      ...copyToRemote,
      create: (inputs) => Promise.resolve({ id: uniqueId(""), outputs: inputs }),
      update: (inputs) => Promise.resolve(inputs),
    };
  }

  async #answer(command: string, triggers: Value | undefined, { name }: Context): Promise<string> {
    const began = performance.timeOrigin + performance.now();
    await pause(this.slow.get(name) ?? answerMs);
    const [shown] = Array.isArray(triggers) ? triggers : [];
    this.#answered.push({
      name,
      triggers: typeof shown === "object" ? (shown as Record<string, string>) : {},
      command,
      began,
      ended: performance.timeOrigin + performance.now(),
    });
    // What a frozen transition has instead of a script.
    if (command.endsWith("; exit 77")) throw new Error(`exit status 77: ${command}`);
    if (this.failing.has(name)) throw new Error(`exit status 75: ${name} was told to fail`);
    return machineOf(command) ?? this.#receipt(name, command);
  }

  #receipt(name: string, command: string): string {
    const began = new Date(this.#clock);
    this.#clock += took * 1000;
    return receiptLine(
      `${name} is so`,
      { began, seconds: took },
      {
        ...(/\/preflight\.ts$/.test(command) ? { epoch: String(++this.#epoch), clocks: "" } : {}),
        ...(command.includes("upgrade/record-green")
          ? { version: this.version, since: began.toISOString() }
          : {}),
        ...(command.includes("upgrade/try-restore") ? { backup: "20261130T100000" } : {}),
        ...(this.bad.has(name) ? { verdict: "bad", why: "it was told so" } : { verdict: "good" }),
      },
    );
  }
}

/** What the tool for local hosts answers; undefined: it is another command. */
function machineOf(command: string): string | undefined {
  const [, what, id = "", host = ""] = /lab\/main\.ts (net|host)-up (\S+)(?: (\S+))?/.exec(command) ?? [];
  if (what === undefined) return undefined;
  if (what === "net") return JSON.stringify({ id, subnet: "192.0.2.0/24" });
  const octet = 1 + ([...host].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7) % 250);
  return JSON.stringify({
    ...{ address: `192.0.2.${String(octet)}`, port: 22, user: "root", identity: `${id}-${host}-1` },
    ...{ hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBtX", privateKeyPath: "/dev/null" },
  });
}

/** Whoever is dialled answers as sshd begins, and is counted. */
export async function startBanner(): Promise<{
  readonly port: number;
  readonly dials: () => number;
  readonly stop: () => void;
}> {
  let dials = 0;
  const server = createServer((socket) => {
    dials++;
    socket.on("error", () => undefined);
    socket.end("SSH-2.0-test\r\n");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { readonly port: number };
  return { port, dials: () => dials, stop: () => server.close() };
}

const root = join(import.meta.dirname, "..", "..");

/** The stand-in for AWS that records, whatever plugin is installed: nothing may ask the real one. */
export async function startRecordingAws(
  file: string,
): Promise<{ readonly port: number; readonly stop: () => void }> {
  const child = spawn(process.execPath, [join(root, "tools", "workshop", "offline", "aws.ts")], {
    env: { ...process.env, CHANGEOVER_AWS_RECORDING: file },
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [first] = (await once(child.stdout, "data")) as [Buffer];
  return { port: Number(first.toString().trim()), stop: () => child.kill() };
}

/** A key for SSH that no host knows. @param file where it is to be. */
export function makeKey(file: string): string {
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file]);
  return file;
}
