import { existsSync } from "node:fs";
import { connect } from "node:net";
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { Host, SshTarget } from "../platforms/platform.ts";
import { connectionOf } from "../platforms/ssh.ts";
import type { Scripts } from "./scripts.ts";
import { copyName, type Software } from "./software.ts";
import { rootOn } from "./start.ts";

/**
 * Every input of a remote step but `triggers`: only triggers decide whether it runs, and a replacement still takes
 * the program's new connection, create and stdin. A test compares the list with the plugin's inputs, since an input
 * that is missing here re-runs old text on all hosts the day its default changes.
 */
export const ignoredRemotely = [
  "connection",
  "create",
  "update",
  "delete",
  "stdin",
  "environment",
  "logging",
  "addPreviousOutputInEnv",
];

/** The same for a step on the machine that runs `up`. */
export const ignoredLocally = [
  "create",
  "update",
  "delete",
  "stdin",
  "environment",
  "logging",
  "addPreviousOutputInEnv",
  "dir",
  "interpreter",
  "assetPaths",
  "archivePaths",
];

const bannerSeconds = 5;

/** What one step needs, taken from the keepers of its transition. */
export interface StepArgs {
  readonly ssh: pulumi.Output<SshTarget>;
  /** Undefined: nothing is run and nothing is dialled. */
  readonly create: pulumi.Output<string | undefined>;
  readonly triggers: Record<string, pulumi.Input<string>>;
  readonly stdin?: pulumi.Output<string>;
  /** Why it must not run; then nothing is dialled either. */
  readonly refuses?: string;
}

/** Declare one script on one host. Destroying, replacing or dropping it never touches the host. */
export function remoteStep(
  name: string,
  args: StepArgs,
  opts: pulumi.CustomResourceOptions,
): command.remote.Command {
  return new command.remote.Command(
    name,
    {
      connection: connectionOf(args.ssh),
      create: args.create as pulumi.Output<string>,
      stdin: args.stdin,
      triggers: [args.triggers],
      logging: "stderr",
      addPreviousOutputInEnv: false,
    },
    {
      ...opts,
      retainOnDelete: true,
      ignoreChanges: ignoredRemotely,
      hideDiffs: ["connection", "stdin"],
      hooks: { beforeCreate: [answersHook(name, args.ssh, args)] },
    },
  );
}

/** Declare one command on the machine that runs `up`. */
export function localStep(
  name: string,
  args: {
    /** Undefined: nothing is run. */
    create?: pulumi.Input<string | undefined>;
    stdin?: pulumi.Input<string>;
    triggers: Record<string, pulumi.Input<string>>;
  },
  opts: pulumi.CustomResourceOptions,
): command.local.Command {
  return new command.local.Command(
    name,
    {
      create: args.create as pulumi.Input<string>,
      stdin: args.stdin,
      triggers: [args.triggers],
      logging: "stderr",
      addPreviousOutputInEnv: false,
    },
    { ...opts, retainOnDelete: true, ignoreChanges: ignoredLocally, hideDiffs: ["stdin"] },
  );
}

/** A resource that runs nothing: it depends on one phase, and the next phase depends on it. */
export function gate(name: string, opts: pulumi.CustomResourceOptions): command.local.Command {
  return new command.local.Command(
    name,
    { addPreviousOutputInEnv: false },
    { ...opts, retainOnDelete: true, ignoreChanges: [...ignoredLocally, "triggers"] },
  );
}

/** Declare the scripts of one release on one host. */
export function scriptsCopy(host: Host, { folder, release }: Scripts): command.remote.CopyToRemote {
  const to = host.ssh.apply((ssh) => `${rootOn(ssh)}/${release}`);
  const source = new pulumi.asset.FileArchive(folder);
  return copyTo(
    `${host.name}-scripts`,
    host,
    { source, to, named: { release } },
    { dependsOn: [...host.ready] },
  );
}

/** By host: the software that is copied to it, by its folder. */
const softwareCopies = new WeakMap<
  Host,
  Map<string, { readonly name: string; readonly copy: command.remote.CopyToRemote }>
>();

/**
 * Declare software of the project on one host: once, however many systems of the host name it.
 *
 * @param scripts the copy of the host's scripts: of two copies at once, one would fail to make the root.
 */
export function softwareCopy(
  host: Host,
  software: Software,
  scripts?: pulumi.Resource,
): command.remote.CopyToRemote {
  const copies = softwareCopies.get(host) ?? new Map<string, never>();
  softwareCopies.set(host, copies);
  const made = copies.get(software.folder);
  if (made) return made.copy;
  const { folder, release } = software;
  const others = [...copies.values()];
  const name = copyName(
    host.name,
    software,
    others.map((other) => other.name),
  );
  const to = host.ssh.apply((ssh) => `${rootOn(ssh)}/software/${release}`);
  const source = new pulumi.asset.FileArchive(folder);
  const dependsOn = [...host.ready, ...(scripts ? [scripts] : []), ...others.map((other) => other.copy)];
  const copy = copyTo(name, host, { source, to, named: { release } }, { dependsOn });
  copies.set(folder, { name, copy });
  return copy;
}

/**
 * Declare a file of the operator's machine on one host; `to` is where it is, and `sha256` what names its contents.
 * Who does not have the file may preview, and change whatever needs no copy of it: a hook refuses the copy.
 */
export function fileCopy(
  name: string,
  host: Host,
  {
    path,
    sha256,
    to,
  }: { readonly path: string; readonly sha256: string; readonly to: pulumi.Output<string> },
  opts: pulumi.CustomResourceOptions,
): command.remote.CopyToRemote {
  const named = { sha256 };
  if (existsSync(path))
    return copyTo(name, host, { source: new pulumi.asset.FileAsset(path), to, named }, opts);
  const missing = new pulumi.ResourceHook(`${name}-there`, () => {
    throw new Error(
      `${path} is not on this machine, and ${host.name} does not have it; put it there (sha256 ${sha256}), or name an https address that has it`,
    );
  });
  const source = new pulumi.asset.StringAsset(sha256);
  return copyTo(name, host, { source, to, named, missing }, opts);
}

/** A copy is made anew for another machine, and for other contents by what names them. */
function copyTo(
  name: string,
  host: Host,
  copied: {
    readonly source: pulumi.asset.Asset | pulumi.asset.Archive;
    readonly to: pulumi.Output<string>;
    readonly named: Readonly<Record<string, string>>;
    /** What is said when the source is needed, and is not there. */
    readonly missing?: pulumi.ResourceHook;
  },
  opts: pulumi.CustomResourceOptions,
): command.remote.CopyToRemote {
  return new command.remote.CopyToRemote(
    name,
    {
      connection: connectionOf(host.ssh),
      source: copied.source,
      remotePath: copied.to,
      triggers: [{ ...copied.named, machine: host.identity }],
    },
    {
      ...opts,
      retainOnDelete: true,
      // A source that is there is compared: a refresh leaves only its hash in the state, which the plugin refuses as an input.
      ignoreChanges: ["connection", "remotePath", ...(copied.missing ? ["source"] : [])],
      hideDiffs: ["connection"],
      hooks: { beforeCreate: [copied.missing ?? answersHook(name, host.ssh)] },
    },
  );
}

/**
 * The plugin's limits end at the TCP connection: a machine whose sshd hangs would hold the update for ever. So each
 * dial is preceded by a look whether its first hop says `SSH-` in time.
 */
function answersHook(
  name: string,
  ssh: pulumi.Output<SshTarget>,
  { create = pulumi.output(""), refuses }: Partial<Pick<StepArgs, "create" | "refuses">> = {},
): pulumi.ResourceHook {
  const target = new Promise<[SshTarget, string | undefined]>((resolve) =>
    pulumi.all([ssh, create]).apply(resolve),
  );
  return new pulumi.ResourceHook(`${name}-answers`, async () => {
    const [{ proxy, host, port }, command] = await target;
    if (command === undefined) return;
    if (refuses !== undefined) throw new Error(`refused: ${refuses}`);
    await answers(proxy?.host ?? host, proxy?.port ?? port, bannerSeconds);
  });
}

/** @throws when nothing at the address says `SSH-` within the limit. */
export async function answers(host: string, port: number, seconds: number): Promise<void> {
  const socket = connect({ host, port });
  try {
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string) => () => {
        reject(
          new Error(
            `ssh at ${host}:${String(port)} ${why}; repair the machine, or add a dead one to changeover:unreachable`,
          ),
        );
      };
      socket.setTimeout(seconds * 1000, fail(`says nothing within ${String(seconds)} s`));
      socket.once("error", (error) => {
        fail(`can't be reached (${error.message})`)();
      });
      socket.once("data", (data) => {
        if (data.toString("latin1").startsWith("SSH-")) resolve();
        else fail("is no SSH server")();
      });
      socket.once("close", fail("closed the connection"));
    });
  } finally {
    socket.destroy();
  }
}
