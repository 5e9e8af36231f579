import grpc from "@grpc/grpc-js";
import enginePb from "@pulumi/pulumi/proto/engine_pb.js";
import structPb from "google-protobuf/google/protobuf/struct_pb.js";
import type { Properties } from "./values.ts";

/** No message of the engine is too large for us: outputs and states are what they are. */
const options = {
  "grpc.max_receive_message_length": 400 * 1024 * 1024,
  "grpc.max_send_message_length": 400 * 1024 * 1024,
};

let inFlight = 0;

/** A gRPC handler from a function; what the function throws is the error that the engine shows. */
export function unary<Request, Response>(
  answer: (request: Request, call: grpc.ServerUnaryCall<Request, Response>) => Promise<Response> | Response,
): grpc.handleUnaryCall<Request, Response> {
  return (call, callback) => {
    inFlight++;
    void Promise.resolve()
      .then(() => answer(call.request, call))
      .then(
        (response) => callback(null, response),
        (error: unknown) =>
          callback({ code: codeOf(error), details: error instanceof Error ? error.message : String(error) }),
      )
      .finally(() => inFlight--);
  };
}

/** The call is none of those that this plugin knows. */
export class Unimplemented extends Error {}

const codeOf = (error: unknown): grpc.status =>
  error instanceof Unimplemented ? grpc.status.UNIMPLEMENTED : grpc.status.UNKNOWN;

/** Serve on a free port of loopback and print it, which is how the engine finds a plugin that it has started. */
export async function serve(
  service: grpc.ServiceDefinition,
  handlers: grpc.UntypedServiceImplementation,
): Promise<void> {
  const { port } = await listen(service, handlers);
  process.stdout.write(`${String(port)}\n`);
}

/** Serve on a free port of loopback, which the engine may be pointed at. */
export async function listen(
  service: grpc.ServiceDefinition,
  handlers: grpc.UntypedServiceImplementation,
): Promise<{ readonly port: number; readonly close: () => void }> {
  const server = new grpc.Server(options);
  server.addService(service, handlers);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
  return {
    port,
    close: () => {
      server.forceShutdown();
    },
  };
}

/** Ends with the engine: without it nobody asks, and nobody would ever end a plugin. `last` runs first. */
export function endWithEngine(last: () => Promise<void> | void, finishCalls: boolean): void {
  const engine = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === engine || (finishCalls && inFlight > 0)) return;
    clearInterval(timer);
    void Promise.resolve(last()).finally(() => process.exit(1));
  }, 500);
  timer.unref();
}

/** The engine's address, which is the last word of a plugin's command line that is no flag. */
export const engineAddress = (): string | undefined =>
  process.argv.slice(2).findLast((word) => !word.startsWith("-"));

export const fromStruct = (struct: structPb.Struct | undefined): Properties => struct?.toJavaScript() ?? {};

export function toStruct(properties: Properties): structPb.Struct {
  return structPb.Struct.fromJavaScript(
    JSON.parse(JSON.stringify(properties)) as Parameters<typeof structPb.Struct.fromJavaScript>[0],
  );
}

export type Severity = "DEBUG" | "INFO" | "WARNING" | "ERROR";

/** Lines for the engine's log, kept in order. */
export class EngineLog {
  #address: string | undefined;
  #client: { log: (request: enginePb.LogRequest) => Promise<void> } | undefined;
  #queue: enginePb.LogRequest[] = [];
  #sending: Promise<void> | undefined;

  constructor(address: string | undefined) {
    this.#address = address;
  }

  /** @param status shown while it is the latest line of its resource. */
  say(severity: Severity, urn: string, message: string, status = false): void {
    const request = new enginePb.LogRequest();
    request.setSeverity(enginePb.LogSeverity[severity]);
    request.setUrn(urn);
    request.setMessage(message);
    request.setEphemeral(status);
    this.#queue.push(request);
    this.#sending ??= this.#send();
  }

  /** Resolves when every line so far has reached the engine, or cannot. */
  async flushed(): Promise<void> {
    await this.#sending;
  }

  async #send(): Promise<void> {
    this.#client ??= await connect(this.#address);
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      // A log line that the engine no longer takes must not stop the work that it tells of.
      await this.#client.log(next).catch(() => undefined);
    }
    this.#sending = undefined;
  }
}

async function connect(address: string | undefined) {
  if (!address) return { log: () => Promise.resolve() };
  const { default: engine } = await import("@pulumi/pulumi/proto/engine_grpc_pb.js");
  const client = new engine.EngineClient(address, grpc.credentials.createInsecure(), options);
  return {
    log: (request: enginePb.LogRequest) =>
      new Promise<void>((resolve, reject) => {
        client.log(request, (error) => {
          if (error) reject(error);
          else resolve();
        });
      }),
  };
}
