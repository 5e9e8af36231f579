import manifest from "@pulumi/aws/package.json" with { type: "json" };
import { account, digits, functions, idOf, types } from "./aws-types.ts";
import { type Context, type Resource, serveProvider } from "./provider.ts";
import { Recording } from "./recording.ts";
import { isObject, plain, plainProperties, type Properties, type Value } from "./values.ts";

const recording = new Recording();
let region = process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION ?? "us-east-1";

function tell(context: Context, what: string): void {
  context.log.say("INFO", context.urn, `recording, nothing is changed on AWS: ${what} (${recording.file})`);
}

const ids = new Set(Object.values(types).map(({ prefix }) => prefix));

/** Ids of AWS in inputs, at any depth, whose kind this plugin makes. */
const idsIn = (value: Value | undefined): string[] => {
  if (Array.isArray(value)) return value.flatMap(idsIn);
  if (isObject(value)) return Object.values(value).flatMap(idsIn);
  const prefix = typeof value === "string" ? /^[a-z]+-(?=[0-9a-f]{8,17}$)/.exec(value)?.[0] : undefined;
  return prefix !== undefined && ids.has(prefix) ? [value as string] : [];
};

const cure = `install the real one (pulumi plugin install resource aws ${manifest.version}) and run npm run setup`;

/** A stand-in never acts: what is on AWS is not touched by it, so it says of nothing there that it is done. */
function refuse(what: string): never {
  throw new Error(
    `the aws plugin on this machine is a stand-in that changes nothing on AWS: ${what}; ${cure}`,
  );
}

/**
 * Only what it made itself, in a recording that the caller chose, is made or changed.
 *
 * @throws Error that fails the update and names the cure.
 */
function requireOwn(kind: string, inputs: Properties, context: Context, id?: string): void {
  if (process.env.CHANGEOVER_AWS_RECORDING === undefined)
    refuse(
      `${context.name} is not made or changed; to try this program without AWS, set CHANGEOVER_AWS_RECORDING to a file`,
    );
  if (id !== undefined && !recording.find(id)) refuse(`${id} is not in its recording, ${recording.file}`);
  const foreign = idsIn(inputs).find((named) => !recording.find(named));
  if (foreign !== undefined)
    refuse(`${context.name} names ${foreign}, which is not in its recording, ${recording.file}`);
  if (kind === "ec2transitgateway/instanceState:InstanceState")
    refuse(`${context.name} would fence an instance, and none is stopped by it`);
  const { allocationId, instanceId } = plainProperties(inputs);
  const holder = typeof allocationId === "string" ? recording.holderOf(allocationId) : undefined;
  if (
    kind === "ec2/eipAssociation:EipAssociation" &&
    id === undefined &&
    holder !== undefined &&
    holder !== instanceId
  )
    refuse(`${context.name} would move an address to ${String(instanceId)}, and none is moved by it`);
}

function outputsOf(kind: string, id: string, inputs: Properties, context: Context): Properties {
  const facts = { id, name: context.name, inputs: plainProperties(inputs), region, recording };
  const [service = ""] = kind.split("/");
  const resource = kind.split(":").at(-1)?.toLowerCase() ?? "";
  const derived = Object.entries(types[kind]?.outputs ?? {}).map(([name, derive]) => [name, derive(facts)]);
  return {
    ...inputs,
    arn: `arn:aws:${service}:${region}:${account}:${resource}/${id}`,
    ...(Object.fromEntries(derived) as Properties),
  };
}

/** Any type of resource: what is known of it is in the table, the rest is recorded all the same. */
function resourceOf(kind: string): Resource {
  const { prefix = "recording-", fixed = [], named, outputs = {} } = types[kind] ?? {};
  return {
    inputs: {},
    computed: ["arn", ...Object.keys(outputs)],
    replaces: (path) =>
      fixed === "all" || fixed.some((field) => path === field || path.startsWith(`${field}.`)),
    check: (inputs, { urn, name }) => {
      const own = named && inputs[named] == null && inputs[`${named}Prefix`] == null;
      return { inputs: { region, ...inputs, ...(own && { [named]: `${name}-${digits(urn, 7)}` }) } };
    },
    read: ({ name, id }) => {
      if (!recording.find(id)) refuse(`${name} (${id}) is not in its recording, so nothing is known of it`);
    },
    create: (inputs, context) => {
      requireOwn(kind, inputs, context);
      const id = idOf(prefix, context.urn, plainProperties(inputs));
      const answer = outputsOf(kind, id, inputs, context);
      recording.add({ op: "create", what: context.urn, id, inputs, outputs: answer });
      tell(context, `create ${id}`);
      return Promise.resolve({ id, outputs: answer });
    },
    update: (inputs, state, context) => {
      const { id } = context;
      requireOwn(kind, inputs, context, id);
      const kept = Object.fromEntries(["arn", ...Object.keys(outputs)].map((name) => [name, state[name]]));
      const answer = { ...inputs, ...kept };
      recording.add({ op: "update", what: context.urn, id, inputs, outputs: answer });
      tell(context, `update ${id}`);
      return Promise.resolve(answer);
    },
    delete: (_state, context) => {
      const { id } = context;
      requireOwn(kind, {}, context, id);
      recording.add({ op: "delete", what: context.urn, id, inputs: {} });
      tell(context, `delete ${id}`);
      return Promise.resolve();
    },
  };
}

void serveProvider({
  name: "aws",
  version: manifest.version,
  configure: (args, say) => {
    say("recording: nothing on AWS is looked at or changed, and ids and addresses are made up");
    region = String(plain(args.region ?? region));
  },
  resource: (type) => (type.startsWith("aws:") ? resourceOf(type.slice("aws:".length)) : undefined),
  invoke: (token, args, context) => {
    const answer = functions[token]?.(args, region) ?? { ...args, id: idOf("recording-", token, args) };
    recording.add({ op: "invoke", what: token, id: String(answer.id), inputs: args, outputs: answer });
    tell(context, `answered ${token}`);
    return Promise.resolve(answer);
  },
});
