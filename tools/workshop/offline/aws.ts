import manifest from "@pulumi/aws/package.json" with { type: "json" };
import { account, digits, functions, idOf, types } from "./aws-types.ts";
import { type Context, type Resource, serveProvider } from "./provider.ts";
import { Recording } from "./recording.ts";
import { plain, plainProperties, type Properties } from "./values.ts";

const recording = new Recording();
let region = process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION ?? "us-east-1";

function tell(context: Context, what: string): void {
  context.log.say("INFO", context.urn, `recording, nothing is changed on AWS: ${what} (${recording.file})`);
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
    create: (inputs, context) => {
      const id = idOf(prefix, context.urn, plainProperties(inputs));
      const answer = outputsOf(kind, id, inputs, context);
      recording.add({ op: "create", what: context.urn, id, inputs, outputs: answer });
      tell(context, `create ${id}`);
      return Promise.resolve({ id, outputs: answer });
    },
    update: (inputs, state, context) => {
      const { id } = context;
      const kept = Object.fromEntries(["arn", ...Object.keys(outputs)].map((name) => [name, state[name]]));
      const answer = { ...inputs, ...kept };
      recording.add({ op: "update", what: context.urn, id, inputs, outputs: answer });
      tell(context, `update ${id}`);
      return Promise.resolve(answer);
    },
    delete: (_state, context) => {
      const { id } = context;
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
