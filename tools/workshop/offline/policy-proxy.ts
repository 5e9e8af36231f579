import grpc from "@grpc/grpc-js";
import grpcPb from "@pulumi/pulumi/proto/analyzer_grpc_pb.js";
import pb from "@pulumi/pulumi/proto/analyzer_pb.js";
import { listen, options, unary } from "./server.ts";

const { AnalyzerService } = grpcPb;

/**
 * Stands between the engine and a policy pack. The engine names the stack only after the pack has answered, and the
 * SDK of the pack reads the stack from its environment. So the engine talks to this first, and the pack starts then.
 */
export class PolicyProxy {
  /** What the engine says of the stack; undefined when it asks the pack without a stack. */
  readonly stack: Promise<pb.AnalyzerStackConfigureRequest | undefined>;
  #port = 0;
  #server: grpc.Server | undefined;
  #told: (stack: pb.AnalyzerStackConfigureRequest | undefined) => void = () => undefined;
  #pack: Promise<grpc.Client>;
  #attached: (pack: grpc.Client) => void = () => undefined;
  #failed: (error: Error) => void = () => undefined;

  private constructor() {
    this.stack = new Promise((resolve) => (this.#told = resolve));
    this.#pack = new Promise((resolve, reject) => {
      this.#attached = resolve;
      this.#failed = reject;
    });
    // A pack that fails before the engine asks it anything is reported by the call that runs it.
    this.#pack.catch(() => undefined);
  }

  static async start(): Promise<PolicyProxy> {
    const proxy = new PolicyProxy();
    const forwarded = Object.entries<grpc.MethodDefinition<unknown, unknown>>(AnalyzerService).map(
      ([name, method]) => [name, unary((request: unknown) => proxy.#forward(method, request))],
    );
    const { server, port } = await listen(AnalyzerService, {
      ...(Object.fromEntries(forwarded) as grpc.UntypedServiceImplementation),
      handshake: unary(() => new pb.AnalyzerHandshakeResponse()),
      configureStack: unary((request: pb.AnalyzerStackConfigureRequest) => {
        proxy.#told(request);
        return new pb.AnalyzerStackConfigureResponse();
      }),
    });
    proxy.#server = server;
    proxy.#port = port;
    return proxy;
  }

  /** Where the engine finds it. */
  get port(): number {
    return this.#port;
  }

  /**
   * Hand the engine's calls to the pack from now on.
   * @throws when the pack refuses the stack.
   */
  async attach(port: number): Promise<void> {
    const pack = new grpc.Client(`127.0.0.1:${String(port)}`, grpc.credentials.createInsecure(), options);
    const stack = await this.stack;
    if (stack !== undefined) {
      await ask(pack, AnalyzerService.configureStack, stack).catch((error: unknown) => {
        if ((error as grpc.ServiceError).code !== grpc.status.UNIMPLEMENTED) throw error;
      });
    }
    this.#attached(pack);
  }

  /** @param why what the engine is told when it waits for the pack. */
  close(why: string): void {
    this.#failed(new Error(why));
    this.#told(undefined);
    void this.#pack.then(
      (pack) => pack.close(),
      () => undefined,
    );
    this.#server?.tryShutdown(() => undefined);
  }

  async #forward(method: grpc.MethodDefinition<unknown, unknown>, request: unknown): Promise<unknown> {
    this.#told(undefined);
    return ask(await this.#pack, method, request);
  }
}

function ask<Request, Response>(
  client: grpc.Client,
  method: grpc.MethodDefinition<Request, Response>,
  request: Request,
): Promise<Response | undefined> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      (error, response) => {
        if (error) reject(error);
        else resolve(response);
      },
    );
  });
}
