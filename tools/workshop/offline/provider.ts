import type grpc from "@grpc/grpc-js";
import grpcPb from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import pb from "@pulumi/pulumi/proto/provider_pb.js";
import pluginPb from "@pulumi/pulumi/proto/plugin_pb.js";
import emptyPb from "google-protobuf/google/protobuf/empty_pb.js";
import {
  EngineLog,
  endWithEngine,
  engineAddress,
  fromStruct,
  listen,
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
  /** Outputs that are the same for each, unless an input says otherwise. */
  readonly known?: Properties;
  /** The id that a preview shows; none, when left out. */
  previewId?(name: string): string;
  /** Those of them that an update gives anew. */
  readonly renewed?: readonly string[];
  /** Whether a change at this property path makes a new resource; never, when left out. */
  replaces?(path: string): boolean;
  /** Names changed inputs as a whole, as plugins that are bridged from Terraform do, and no places within them. */
  readonly plainDiff?: boolean;
  check?(
    inputs: Properties,
    about: Pick<Context, "urn" | "name">,
  ): { inputs: Properties; failures?: readonly Failure[] };
  create(inputs: Properties, context: Context): Promise<{ id: string; outputs: Properties }>;
  update?(inputs: Properties, state: Properties, context: Context): Promise<Properties>;
  delete?(state: Properties, context: Context): Promise<void>;
  /** @throws Error when nothing is known of it. Left out: what the state says is taken as it is. */
  read?(about: Pick<Context, "urn" | "name" | "id">): void;
}

export interface Provider {
  readonly name: string;
  readonly version: string;
  /** @param say tells the engine's log. */
  configure?(args: Properties, say: (message: string) => void): void;
  /** The resource type of this token; undefined for one that the plugin does not have. */
  resource(type: string): Resource | undefined;
  /** Tokens that the schema names. */
  readonly types?: readonly string[];
  invoke?(token: string, args: Properties, context: Context): Promise<Properties>;
}

const { Kind } = pb.PropertyDiff;

const kinds = {
  add: [Kind.ADD, Kind.ADD_REPLACE],
  delete: [Kind.DELETE, Kind.DELETE_REPLACE],
  update: [Kind.UPDATE, Kind.UPDATE_REPLACE],
} satisfies Record<Change, unknown>;

/** Serve a provider to the engine that started this process. */
export async function serveProvider(provider: Provider): Promise<void> {
  await serve(grpcPb.ResourceProviderService, handlersOf(provider, new EngineLog(engineAddress())));
  endWithEngine(() => undefined, true);
}

/** Serve a provider from this process, for engines that are told its port by `PULUMI_DEBUG_PROVIDERS`. */
export async function listenAsProvider(
  provider: Provider,
): Promise<{ readonly port: number; readonly close: () => void }> {
  const handlers = handlersOf(provider, new EngineLog(undefined));
  const { port, server } = await listen(grpcPb.ResourceProviderService, handlers);
  return {
    port,
    close: () => {
      server.forceShutdown();
    },
  };
}

const handlersOf = (provider: Provider, log: EngineLog): grpc.UntypedServiceImplementation => ({
  ...aboutItself(provider, log),
  ...new Calls(provider, log).ofResources(),
});

function aboutItself(provider: Provider, log: EngineLog): grpc.UntypedServiceImplementation {
  return {
    handshake: unary(() =>
      new pb.ProviderHandshakeResponse().setAcceptSecrets(true).setAcceptResources(true),
    ),
    configure: unary((request: pb.ConfigureRequest) => {
      provider.configure?.(fromStruct(request.getArgs()), (message) => log.say("INFO", "", message));
      const response = new pb.ConfigureResponse();
      return response.setAcceptsecrets(true).setAcceptresources(true).setSupportspreview(true);
    }),
    getPluginInfo: unary(() => new pluginPb.PluginInfo().setVersion(provider.version)),
    getSchema: unary(() => new pb.GetSchemaResponse().setSchema(JSON.stringify(schemaOf(provider)))),
    checkConfig: unary((request: pb.CheckRequest) => new pb.CheckResponse().setInputs(request.getNews())),
    diffConfig: unary(() => new pb.DiffResponse().setChanges(pb.DiffResponse.DiffChanges.DIFF_NONE)),
    attach: unary(() => new emptyPb.Empty()),
    getMapping: unary(() => new pb.GetMappingResponse()),
    getMappings: unary(() => new pb.GetMappingsResponse()),
    parameterize: unimplemented,
    call: unimplemented,
    construct: unimplemented,
    list: unimplemented,
  };
}

const unimplemented = unary(() => {
  throw new Unimplemented("the stand-in has no such call");
});

/** The engine's calls about resources, and those of them that run. */
class Calls {
  readonly #provider: Provider;
  readonly #log: EngineLog;
  readonly #running = new Set<AbortController>();

  constructor(provider: Provider, log: EngineLog) {
    this.#provider = provider;
    this.#log = log;
  }

  ofResources(): grpc.UntypedServiceImplementation {
    return {
      check: unary((request: pb.CheckRequest) => this.#check(request)),
      diff: unary((request: pb.DiffRequest) => this.#diff(request)),
      create: unary((request: pb.CreateRequest) => this.#create(request)),
      update: unary((request: pb.UpdateRequest) => this.#update(request)),
      delete: unary((request: pb.DeleteRequest) => this.#delete(request)),
      invoke: unary((request: pb.InvokeRequest) => this.#invoke(request)),
      read: unary((request: pb.ReadRequest) => {
        const urn = request.getUrn();
        this.#resource(urn).read?.({ urn, name: nameOf(urn), id: request.getId() });
        return new pb.ReadResponse()
          .setId(request.getId())
          .setProperties(request.getProperties())
          .setInputs(request.getInputs());
      }),
      cancel: unary(() => {
        for (const controller of this.#running) controller.abort(new Error("context canceled"));
        return new emptyPb.Empty();
      }),
    };
  }

  #check(request: pb.CheckRequest): pb.CheckResponse {
    const urn = request.getUrn();
    const inputs = fromStruct(request.getNews());
    const checked = this.#resource(urn).check?.(inputs, { urn, name: nameOf(urn) }) ?? { inputs };
    const failures = (checked.failures ?? []).map(({ property, reason }) =>
      new pb.CheckFailure().setProperty(property).setReason(reason),
    );
    return new pb.CheckResponse().setInputs(toStruct(checked.inputs)).setFailuresList(failures);
  }

  #diff(request: pb.DiffRequest): pb.DiffResponse {
    const inputs = withIgnored(request, fromStruct(request.getNews()), fromStruct(request.getOlds()));
    return diffOf(this.#resource(request.getUrn()), fromStruct(request.getOldInputs()), inputs);
  }

  #create(request: pb.CreateRequest): Promise<pb.CreateResponse> {
    return this.#within(request.getUrn(), "", request.getTimeout(), async (context) => {
      const inputs = fromStruct(request.getProperties());
      const resource = this.#resource(context.urn);
      const response = new pb.CreateResponse();
      if (request.getPreview()) {
        const outputs = Object.fromEntries(resource.computed.map((name) => [name, unknown]));
        const id = resource.previewId?.(context.name) ?? "";
        return response.setId(id).setProperties(toStruct({ ...resource.known, ...inputs, ...outputs }));
      }
      const { id, outputs } = await resource.create(inputs, context);
      return response.setId(id).setProperties(toStruct(outputs));
    });
  }

  #update(request: pb.UpdateRequest): Promise<pb.UpdateResponse> {
    return this.#within(request.getUrn(), request.getId(), request.getTimeout(), async (context) => {
      const resource = this.#resource(context.urn);
      const state = fromStruct(request.getOlds());
      const inputs = withIgnored(request, fromStruct(request.getNews()), state);
      const outputs = request.getPreview()
        ? updatePreview(resource, inputs, state)
        : await resource.update?.(inputs, state, context);
      if (!outputs)
        throw new Unimplemented(`${this.#provider.name} stand-in: ${context.type} has no update in place`);
      return new pb.UpdateResponse().setProperties(toStruct(outputs));
    });
  }

  #delete(request: pb.DeleteRequest): Promise<emptyPb.Empty> {
    return this.#within(request.getUrn(), request.getId(), request.getTimeout(), async (context) => {
      await this.#resource(context.urn).delete?.(fromStruct(request.getProperties()), context);
      return new emptyPb.Empty();
    });
  }

  #invoke(request: pb.InvokeRequest): Promise<pb.InvokeResponse> {
    return this.#within("", "", 0, async (context) => {
      if (!this.#provider.invoke) throw new Unimplemented(`${this.#provider.name} stand-in: no functions`);
      const answer = await this.#provider.invoke(request.getTok(), fromStruct(request.getArgs()), context);
      return new pb.InvokeResponse().setReturn(toStruct(answer));
    });
  }

  #resource(urn: string): Resource {
    const found = this.#provider.resource(typeOf(urn));
    if (!found) throw new Unimplemented(`${this.#provider.name} stand-in: no resource type ${typeOf(urn)}`);
    return found;
  }

  async #within<T>(
    urn: string,
    id: string,
    seconds: number,
    work: (context: Context) => Promise<T>,
  ): Promise<T> {
    const controller = new AbortController();
    const late = () => controller.abort(new Error("context deadline exceeded"));
    const timer = seconds > 0 ? setTimeout(late, seconds * 1000) : undefined;
    this.#running.add(controller);
    try {
      const { signal } = controller;
      return await work({ urn, id, type: typeOf(urn), name: nameOf(urn), log: this.#log, signal });
    } finally {
      clearTimeout(timer);
      this.#running.delete(controller);
      await this.#log.flushed();
    }
  }
}

const typeOf = (urn: string): string => urn.split("::")[2]?.split("$").at(-1) ?? "";

const nameOf = (urn: string): string => urn.split("::").slice(3).join("::");

/** New inputs, with the state's value for each that the program told the engine to ignore. */
function withIgnored(
  request: pb.DiffRequest | pb.UpdateRequest,
  inputs: Properties,
  state: Properties,
): Properties {
  const ignored = request.getIgnorechangesList().filter((name) => state[name] !== undefined);
  return { ...inputs, ...Object.fromEntries(ignored.map((name) => [name, state[name]])) };
}

function diffOf(resource: Resource, old: Properties, now: Properties): pb.DiffResponse {
  const found = differences(old, now);
  const response = new pb.DiffResponse();
  response.setChanges(pb.DiffResponse.DiffChanges[found.size > 0 ? "DIFF_SOME" : "DIFF_NONE"]);
  response.setHasdetaileddiff(!resource.plainDiff);
  const rootOf = (path: string) => /^(\w+|\["(?:\\"|[^"])*"\])/.exec(path)?.[0] ?? path;
  const replaces = [...found.keys()].filter((path) => resource.replaces?.(path));
  for (const [path, change] of resource.plainDiff ? [] : found) {
    const detail = new pb.PropertyDiff();
    detail.setKind(kinds[change][replaces.includes(path) ? 1 : 0] ?? Kind.UPDATE);
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

const any = { $ref: "pulumi.json#/Any" };

const schemaTypes: Record<string, object> = {
  array: { type: "array", items: any },
  object: { type: "object", additionalProperties: any },
  asset: { $ref: "pulumi.json#/Asset" },
};

/** What `pulumi package get-schema` shows: the types and their inputs. */
function schemaOf(provider: Provider): object {
  const inputsOf = (type: string) => Object.entries(provider.resource(type)?.inputs ?? {});
  const resources = (provider.types ?? []).map((type): [string, object] => {
    const properties = inputsOf(type).map(([name, kind]) => [name, schemaTypes[kind] ?? { type: kind }]);
    return [type, { inputProperties: Object.fromEntries(properties) as object }];
  });
  return { name: provider.name, version: provider.version, resources: Object.fromEntries(resources) };
}
