import * as pulumi from "@pulumi/pulumi";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks.js";

/** What a program asked of the engine for one resource. */
export interface Declared {
  readonly type: string;
  readonly name: string;
  /** Name of the resource that it is under; empty: of none. */
  readonly parent: string;
  readonly custom: boolean;
  /** Secrets unwrapped; their paths stand in `secrets`. */
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly secrets: readonly string[];
  readonly protect: boolean;
  readonly retainOnDelete: boolean;
  readonly ignoreChanges: readonly string[];
  /** Names of the resources that it waits for. */
  readonly dependsOn: readonly string[];
  /** Reference of an explicit provider; empty for the default one. */
  readonly provider: string;
}

/** The outputs of a resource beyond its inputs, and its id. */
export type Outputs = (type: string, name: string) => Readonly<Record<string, unknown>>;

/** The part of an engine request that tests look at; the package has no types for it. */
interface Request {
  getType(): string;
  getName(): string;
  getParent(): string;
  getCustom(): boolean;
  getObject(): { toJavaScript(): Record<string, unknown> };
  getProtect(): boolean;
  getRetainondelete(): boolean;
  getIgnorechangesList(): string[];
  getDependenciesList(): string[];
  getProvider(): string;
}

type Answer = (error: Error | null, response: unknown) => void;
type Patched = Record<string, (request: Request, answer: Answer) => unknown>;

const secretMark = "4dabf18193072939515e22adb298388d";

/** Run a program against mocks: what it returns, and everything that it declared. */
export async function declaredBy<T>(
  program: () => T | Promise<T>,
  outputs: Outputs = () => ({}),
): Promise<{ result: T; declared: Declared[] }> {
  const declared: Declared[] = [];
  const restore = watchRequests((request) => declared.push(asDeclared(request)));
  try {
    await pulumi.runtime.setMocks(
      {
        newResource: ({ type, name, inputs }) => ({
          id: `${name}-id`,
          state: { ...(inputs as object), ...outputs(type, name) },
        }),
        call: ({ inputs }) => inputs as Record<string, unknown>,
      },
      "changeover",
      "test",
    );
    const result = await program();
    await pulumi.runtime.disconnect();
    return { result, declared };
  } finally {
    restore();
  }
}

/** The value of an output, once it is known. */
export function valueOf<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => {
    output.apply((value) => {
      resolve(value);
    });
  });
}

/** Whether an output is kept secret. */
export const isSecret = (output: pulumi.Output<unknown>): Promise<boolean> => pulumi.isSecret(output);

function watchRequests(see: (request: Request) => void): () => void {
  const monitor = MockMonitor.prototype as unknown as Patched;
  const register = monitor.registerResource;
  if (!register) throw new Error("MockMonitor has no registerResource any more; read its source");
  const watched: Patched = {
    registerResource(request, answer) {
      see(request);
      return register.call(this, request, answer);
    },
    // The mock monitor knows no hooks, and without an answer no output of their resource would ever be known.
    registerResourceHook: (_, answer) => {
      answer(null, {});
    },
  };
  Object.assign(monitor, watched);
  return () => {
    monitor.registerResource = register;
    delete monitor.registerResourceHook;
  };
}

function asDeclared(request: Request): Declared {
  const secrets: string[] = [];
  return {
    type: request.getType(),
    name: request.getName(),
    parent: request.getParent().split("::").at(-1) ?? "",
    custom: request.getCustom(),
    inputs: plain(request.getObject().toJavaScript(), "", secrets) as Record<string, unknown>,
    secrets,
    protect: request.getProtect(),
    retainOnDelete: request.getRetainondelete(),
    ignoreChanges: request.getIgnorechangesList(),
    dependsOn: request.getDependenciesList().map((urn) => urn.split("::").at(-1) ?? ""),
    provider: request.getProvider(),
  };
}

function plain(value: unknown, path: string, secrets: string[]): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (secretMark in value) {
    secrets.push(path);
    return plain((value as { value?: unknown }).value, path, secrets);
  }
  if (Array.isArray(value))
    return value.map((item, index) => plain(item, `${path}[${String(index)}]`, secrets));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      plain(item, path === "" ? key : `${path}.${key}`, secrets),
    ]),
  );
}
