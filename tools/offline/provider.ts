import grpcPb from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import pb from "@pulumi/pulumi/proto/provider_pb.js";
import pluginPb from "@pulumi/pulumi/proto/plugin_pb.js";
import emptyPb from "google-protobuf/google/protobuf/empty_pb.js";
import {
  EngineLog,
  endWithEngine,
  engineAddress,
  fromStruct,
  serve,
  toStruct,
  unary,
  Unimplemented,
} from "./server.ts";
import { type Change, differences, equal, type Properties, unknown } from "./values.ts";

/** What an operation may use while it runs. */
export interface Context {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  /** Empty before there is one. */
  readonly id: string;
  readonly log: EngineLog;
  /** Aborted by `customTimeouts` and by the engine's cancel. */
  readonly signal: AbortSignal;
}

export interface Failure {
  readonly property: string;
  readonly reason: string;
}

/** One type of resource. Values arrive with secrets marked; `plain` lays them open. */
export interface Resource {
  /** Names of all inputs, in the schema's words. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Outputs that only a creation knows: unknown in its preview. */
  readonly computed: readonly string[];
  /** Those of them that an update gives anew. */
  readonly renewed?: readonly string[];
  /** Whether a change at this property path makes a new resource; never, when left out. */
  replaces?(path: string): boolean;
  check?(inputs: Properties, context: Context): { inputs: Properties; failures?: readonly Failure[] };
  create(inputs: Properties, context: Context): Promise<{ id: string; outputs: Properties }>;
  update?(inputs: Properties, state: Properties, context: Context): Promise<Properties>;
  delete?(state: Properties, context: Context): Promise<void>;
}

export interface Provider {
  readonly name: string;
  readonly version: string;
  configure?(args: Properties): void;
  /** The resource type of this token; undefined for one that the plugin does not have. */
  resource(type: string): Resource | undefined;
  /** Tokens that the schema names. */
  readonly types?: readonly string[];
  invoke?(token: string, args: Properties, context: Context): Promise<Properties>;
}

const kinds: Record<Change, [number, number]> = { add: [0, 1], delete: [2, 3], update: [4, 5] };

/** Serve a provider to the engine that started this process. */
export async function serveProvider(provider: Provider): Promise<void> {
  const log = new EngineLog(engineAddress());
  const running = new Set<AbortController>();
  const typeOf = (urn: string) => urn.split("::")[2]?.split("$").at(-1) ?? "";

  const resourceOf = (urn: string): Resource => {
    const found = provider.resource(typeOf(urn));
    if (!found) throw new Unimplemented(`${provider.name} stand-in: no resource type ${typeOf(urn)}`);
    return found;
  };

  const within = async <T>(
    urn: string,
    id: string,
    seconds: number,
    work: (context: Context) => Promise<T>,
  ): Promise<T> => {
    const controller = new AbortController();
    running.add(controller);
    const timer =
      seconds > 0
        ? setTimeout(() => controller.abort(new Error("context deadline exceeded")), seconds * 1000)
        : undefined;
    const name = urn.split("::").slice(3).join("::");
    try {
      return await work({ urn, id, type: typeOf(urn), name, log, signal: controller.signal });
    } finally {
      clearTimeout(timer);
      running.delete(controller);
      await log.flushed();
    }
  };

  await serve(grpcPb.ResourceProviderService, {
    handshake: unary(() => {
      const response = new pb.ProviderHandshakeResponse();
      response.setAcceptSecrets(true);
      response.setAcceptResources(true);
      return response;
    }),
    configure: unary((request: pb.ConfigureRequest) => {
      provider.configure?.(fromStruct(request.getArgs()));
      const response = new pb.ConfigureResponse();
      response.setAcceptsecrets(true);
      response.setAcceptresources(true);
      response.setSupportspreview(true);
      return response;
    }),
    getPluginInfo: unary(() => new pluginPb.PluginInfo().setVersion(provider.version)),
    getSchema: unary(() => new pb.GetSchemaResponse().setSchema(JSON.stringify(schemaOf(provider)))),
    checkConfig: unary((request: pb.CheckRequest) => {
      const response = new pb.CheckResponse();
      response.setInputs(request.getNews());
      return response;
    }),
    diffConfig: unary(() => new pb.DiffResponse().setChanges(pb.DiffResponse.DiffChanges.DIFF_NONE)),

    check: unary((request: pb.CheckRequest) =>
      within(request.getUrn(), "", 0, async (context) => {
        const inputs = fromStruct(request.getNews());
        const resource = resourceOf(context.urn);
        const checked = await (resource.check?.(inputs, context) ?? { inputs });
        const failures = (checked.failures ?? []).map(({ property, reason }) =>
          new pb.CheckFailure().setProperty(property).setReason(reason),
        );
        return new pb.CheckResponse().setInputs(toStruct(checked.inputs)).setFailuresList(failures);
      }),
    ),

    diff: unary((request: pb.DiffRequest) => {
      const resource = resourceOf(request.getUrn());
      const state = fromStruct(request.getOlds());
      const inputs = fromStruct(request.getNews());
      for (const name of request.getIgnorechangesList())
        if (state[name] !== undefined) inputs[name] = state[name];
      return diffOf(resource, fromStruct(request.getOldInputs()), inputs);
    }),

    create: unary((request: pb.CreateRequest) =>
      within(request.getUrn(), "", request.getTimeout(), async (context) => {
        const inputs = fromStruct(request.getProperties());
        const resource = resourceOf(context.urn);
        const response = new pb.CreateResponse();
        if (request.getPreview()) {
          const outputs = Object.fromEntries(resource.computed.map((name) => [name, unknown]));
          return response.setProperties(toStruct({ ...inputs, ...outputs }));
        }
        const { id, outputs } = await resource.create(inputs, context);
        return response.setId(id).setProperties(toStruct(outputs));
      }),
    ),

    update: unary((request: pb.UpdateRequest) =>
      within(request.getUrn(), request.getId(), request.getTimeout(), async (context) => {
        const resource = resourceOf(context.urn);
        const state = fromStruct(request.getOlds());
        const inputs = fromStruct(request.getNews());
        for (const name of request.getIgnorechangesList())
          if (state[name] !== undefined) inputs[name] = state[name];
        const outputs = request.getPreview()
          ? updatePreview(resource, inputs, state)
          : await resource.update?.(inputs, state, context);
        if (!outputs)
          throw new Unimplemented(`${provider.name} stand-in: ${context.type} has no update in place`);
        return new pb.UpdateResponse().setProperties(toStruct(outputs));
      }),
    ),

    read: unary((request: pb.ReadRequest) =>
      new pb.ReadResponse()
        .setId(request.getId())
        .setProperties(request.getProperties())
        .setInputs(request.getInputs()),
    ),

    delete: unary((request: pb.DeleteRequest) =>
      within(request.getUrn(), request.getId(), request.getTimeout(), async (context) => {
        await resourceOf(context.urn).delete?.(fromStruct(request.getProperties()), context);
        return new emptyPb.Empty();
      }),
    ),

    invoke: unary((request: pb.InvokeRequest) =>
      within("", "", 0, async (context) => {
        if (!provider.invoke) throw new Unimplemented(`${provider.name} stand-in: no functions`);
        const answer = await provider.invoke(request.getTok(), fromStruct(request.getArgs()), context);
        return new pb.InvokeResponse().setReturn(toStruct(answer));
      }),
    ),

    cancel: unary(() => {
      for (const controller of running) controller.abort(new Error("context canceled"));
      return new emptyPb.Empty();
    }),
    attach: unary(() => new emptyPb.Empty()),
    parameterize: unimplemented,
    call: unimplemented,
    construct: unimplemented,
    list: unimplemented,
    getMapping: unary(() => new pb.GetMappingResponse()),
    getMappings: unary(() => new pb.GetMappingsResponse()),
  });
  endWithEngine(() => undefined, true);
}

const unimplemented = unary(() => {
  throw new Unimplemented("the stand-in has no such call");
});

function diffOf(resource: Resource, old: Properties, now: Properties): pb.DiffResponse {
  const found = differences(old, now);
  const response = new pb.DiffResponse();
  response.setChanges(pb.DiffResponse.DiffChanges[found.size > 0 ? "DIFF_SOME" : "DIFF_NONE"]);
  response.setHasdetaileddiff(true);
  const rootOf = (path: string) => /^(\w+|\["(?:\\"|[^"])*"\])/.exec(path)?.[0] ?? path;
  const replaces = [...found.keys()].filter((path) => resource.replaces?.(path));
  for (const [path, change] of found) {
    const detail = new pb.PropertyDiff();
    // The enum's values are 0 to 5, in pairs of plain and replacing.
    detail.setKind(kinds[change][replaces.includes(path) ? 1 : 0] as pb.PropertyDiff.Kind);
    response.getDetaileddiffMap().set(path, detail);
  }
  response.setDiffsList([...new Set([...found.keys()].map(rootOf))]);
  response.setReplacesList([...new Set(replaces.map(rootOf))]);
  return response;
}

function updatePreview(resource: Resource, inputs: Properties, state: Properties): Properties {
  const changed = Object.keys(resource.inputs).some(
    (name) => inputs[name] === unknown || (name in state && !equal(inputs[name], state[name])),
  );
  const kept = Object.fromEntries(resource.computed.map((name) => [name, state[name]]));
  const renewed = Object.fromEntries((resource.renewed ?? []).map((name) => [name, unknown]));
  return { ...inputs, ...kept, ...(changed ? renewed : {}) };
}

function schemaOf(provider: Provider): object {
  const resources = (provider.types ?? []).map((type) => {
    const inputs = Object.entries(provider.resource(type)?.inputs ?? {});
    return [
      type,
      { inputProperties: Object.fromEntries(inputs.map(([name, kind]) => [name, { type: kind }])) },
    ];
  });
  return {
    name: provider.name,
    version: provider.version,
    resources: Object.fromEntries(resources) as object,
  };
}
