import type ssh2 from "ssh2";
import { Output } from "./output.ts";
import type { Context, Failure, Resource } from "./provider.ts";
import type { Connection } from "./ssh.ts";
import {
  isArchive,
  isAsset,
  isObject,
  isSecret,
  mapValues,
  plain,
  plainProperties,
  type Properties,
  secret,
  unknown,
  type Value,
} from "./values.ts";
import { faults, uniqueId } from "./inputs.ts";

const connectionDefaults = { user: "root", port: 22, dialErrorLimit: 10, perDialTimeout: 15 };
const secretFields = ["password", "privateKey", "privateKeyPassword"];

const bare = (value: Value | undefined): Value | undefined =>
  isSecret(value) ? (value as Properties).value : value;

/** Fills in what was left out and marks what must not be shown: the whole connection, and keys within it. */
function complete(connection: Value): Value {
  const given = bare(connection);
  if (!isObject(given)) return secret(given ?? unknown);
  const fill = (endpoint: Properties): Properties => {
    const filled = mapValues({ ...connectionDefaults, ...endpoint }, (value) => value);
    for (const name of secretFields) {
      const value = bare(filled[name]);
      if (value != null) filled[name] = secret(value);
    }
    return filled;
  };
  const filled = fill(given);
  if (isObject(filled.proxy) && !isSecret(filled.proxy)) filled.proxy = fill(filled.proxy);
  return secret(filled);
}

function checkConnection(connection: Value | undefined): Failure[] {
  const given = connection == null ? undefined : plain(connection);
  if (given == null || given === unknown) return [];
  if (isObject(given) && given.host != null) return [];
  return [{ property: "connection", reason: "Missing required field 'host' on 'remote.Connection'" }];
}

async function connectTo(inputs: Properties, context: Context): Promise<ssh2.Client> {
  const { dial } = await import("./ssh.ts");
  // Check has filled in the defaults and refused what has another shape.
  const connection = inputs.connection as unknown as Connection;
  const tell = (news: string) => context.log.say("INFO", context.urn, news, true);
  return dial(connection, tell, context.signal);
}

async function variables(
  client: ssh2.Client,
  inputs: Properties,
  before: Properties,
  context: Context,
): Promise<Record<string, string>> {
  const { acceptsVariable } = await import("./ssh.ts");
  const refused = (name: string) =>
    `Unable to set '${name}'. This only works if your SSH server is configured to accept these variables via ` +
    "AcceptEnv. Alternatively, if a Bash-like shell runs the command on the remote host, you could prefix the " +
    "command itself with the variables in the form 'VAR=value command'";
  const taken: Record<string, string> = {};
  for (const [name, value] of Object.entries(isObject(inputs.environment) ? inputs.environment : {})) {
    if (!(await acceptsVariable(client, name, String(value)))) {
      context.log.say("ERROR", context.urn, refused(name));
      throw new Error(`could not set environment variable "${name}": ssh: setenv failed`);
    }
    taken[name] = String(value);
  }
  if (inputs.addPreviousOutputInEnv === false) return taken;
  for (const name of ["stdout", "stderr"]) {
    const [variable, value] = [`PULUMI_COMMAND_${name.toUpperCase()}`, before[name]];
    if (typeof value !== "string" || value === "") continue;
    if (await acceptsVariable(client, variable, value)) taken[variable] = value;
    else context.log.say("WARNING", context.urn, refused(variable));
  }
  return taken;
}

function execute(
  client: ssh2.Client,
  command: string,
  env: Record<string, string>,
  stdin: Value | undefined,
  output: Output,
): Promise<void> {
  return new Promise((resolve, reject) => {
    client.exec(command, { env }, (error, channel) => {
      if (error) {
        reject(output.failure(error.message, command));
        return;
      }
      let reason: string | undefined = "wait: remote command exited without exit status or exit signal";
      channel.on("exit", (code: number | null, name?: string) => {
        if (code === 0) reason = undefined;
        else if (code !== null) reason = `Process exited with status ${String(code)}`;
        else
          reason = `Process exited with status ${signalStatus(name)} from signal ${name?.replace("SIG", "") ?? ""}`;
      });
      channel.on("close", () => {
        if (reason === undefined) resolve();
        else reject(output.failure(reason, command));
      });
      output.take("stdout", channel);
      output.take("stderr", channel.stderr);
      // A command may end without reading what it was given.
      channel.stdin.on("error", () => undefined);
      channel.end(typeof stdin === "string" ? stdin : "");
    });
  });
}

const signals: Record<string, number> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGTERM: 15,
};

const signalStatus = (name = ""): string => String(128 + (signals[name] ?? 0));

async function run(
  command: string,
  given: Properties,
  before: Properties,
  context: Context,
): Promise<{ stdout: string; stderr: string }> {
  const inputs = plainProperties(given);
  const client = await connectTo(inputs, context);
  try {
    const env = await variables(client, inputs, plainProperties(before), context);
    const output = new Output(context, inputs.logging);
    await execute(client, command, env, inputs.stdin, output);
    return output.outputs();
  } finally {
    client.end();
  }
}

const commandInputs = {
  connection: "object",
  create: "string",
  update: "string",
  delete: "string",
  triggers: "array",
  stdin: "string",
  logging: "string",
  environment: "object",
  addPreviousOutputInEnv: "boolean",
};

/** `command:remote:Command`: a command on a host over SSH. Without one to run, nothing is dialled. */
export const remoteCommand: Resource = {
  inputs: commandInputs,
  computed: ["stdout", "stderr"],
  previewId: uniqueId,
  renewed: ["stdout", "stderr"],
  replaces: (path) => path === "triggers",
  check: (inputs) => ({
    inputs: inputs.connection == null ? inputs : { ...inputs, connection: complete(inputs.connection) },
    failures: [
      ...faults("remote.CommandInputs", commandInputs, ["connection"], inputs),
      ...checkConnection(inputs.connection),
    ],
  }),
  create: async (inputs, context) => {
    const command = plain(inputs.create ?? null);
    const said =
      typeof command === "string" ? await run(command, inputs, {}, context) : { stdout: "", stderr: "" };
    return { id: uniqueId(context.name), outputs: { ...inputs, ...said } };
  },
  update: async (inputs, state, context) => {
    const command = plain(inputs.update ?? inputs.create ?? null);
    const kept = { stdout: state.stdout ?? "", stderr: state.stderr ?? "" };
    return {
      ...inputs,
      ...(typeof command === "string" ? await run(command, inputs, state, context) : kept),
    };
  },
  delete: async (state, context) => {
    const command = plain(state.delete ?? null);
    if (typeof command === "string") await run(command, state, state, context);
  },
};

const copyInputs = { connection: "object", source: "asset", remotePath: "string", triggers: "array" };

async function copy(given: Properties, context: Context): Promise<void> {
  const { copyAsset, copyPath } = await import("./copy.ts");
  const inputs = plainProperties(given);
  const source = inputs.source as Properties;
  const client = await connectTo(inputs, context);
  try {
    const to = String(inputs.remotePath);
    if (typeof source.text === "string" && source.path == null) await copyAsset(client, source.text, to);
    else await copyPath(client, String(source.path), to);
  } finally {
    client.end();
  }
}

function sourceFaults(source: Value | undefined): Failure[] {
  const given = source == null ? undefined : plain(source);
  if (!isAsset(given)) return [{ property: "asset", reason: "either asset or archive must be set" }];
  if (isArchive(given))
    return given.path
      ? []
      : [{ property: "archive", reason: "archive must be a path to a file or directory" }];
  if (given.path || typeof given.text === "string") return [];
  return [{ property: "asset", reason: "asset must be a path-based file asset or a text asset" }];
}

/** `command:remote:CopyToRemote`: a file, a text or a folder to a host. It is copied anew when its content or its place changed. */
export const copyToRemote: Resource = {
  inputs: copyInputs,
  computed: [],
  replaces: (path) => path === "triggers",
  check: (inputs) => ({
    inputs: inputs.connection == null ? inputs : { ...inputs, connection: complete(inputs.connection) },
    failures: [
      ...faults("remote.CopyToRemoteInputs", copyInputs, ["connection", "source", "remotePath"], inputs),
      ...checkConnection(inputs.connection),
      ...sourceFaults(inputs.source),
    ],
  }),
  create: async (inputs, context) => {
    await copy(inputs, context);
    return { id: uniqueId(""), outputs: inputs };
  },
  update: async (inputs, state, context) => {
    const hash = (properties: Properties) => (plain(properties.source ?? null) as Properties | null)?.hash;
    const place = (properties: Properties) => plain(properties.remotePath ?? null);
    if (hash(inputs) !== hash(state) || place(inputs) !== place(state)) await copy(inputs, context);
    return inputs;
  },
};
