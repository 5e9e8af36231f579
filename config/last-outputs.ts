import * as pulumi from "@pulumi/pulumi";
import pb from "@pulumi/pulumi/proto/resource_pb.js";
import structPb from "google-protobuf/google/protobuf/struct_pb.js";
import { LastState, type Left } from "./last-state.ts";

/**
 * The outputs of another stack at its last update; empty when there was none. Read without a resource: a `StackReference` would keep
 * a copy of the stack's secrets in its state, and have a line in each preview.
 *
 * @param name its full name.
 */
export async function lastOutputs(name: string): Promise<unknown> {
  return (await asked("readStackOutputs", { name })).outputs;
}

/** What this stack left in its state at its last update, also at one that failed. */
export async function lastState(): Promise<LastState> {
  const stackName = [pulumi.getOrganization(), pulumi.getProject(), pulumi.getStack()].join("/");
  const { outputs } = await asked("readStackResourceOutputs", { stackName });
  return new LastState((outputs ?? {}) as Readonly<Record<string, Left>>);
}

const asked = async (what: string, args: pulumi.Inputs): Promise<{ readonly outputs?: unknown }> =>
  (await pulumi.runtime.invoke(`pulumi:pulumi:${what}`, args)) as { readonly outputs?: unknown };

/**
 * Register outputs of this stack while the update runs. When it fails, the engine keeps the others as they were; when it ends well, those
 * that were registered last are all that stays. The SDK's own call does not say when the engine has them; this resolves then.
 */
export async function registerOutputs(outputs: Record<string, structPb.JavaScriptValue>): Promise<void> {
  const [stack, monitor] = [pulumi.runtime.getStackResource(), pulumi.runtime.getMonitor()];
  if (!stack || !monitor) throw new Error("no update runs");
  const request = new pb.RegisterResourceOutputsRequest();
  request.setUrn(await new Promise<string>((resolve) => stack.urn.apply(resolve)));
  request.setOutputs(structPb.Struct.fromJavaScript(outputs));
  await new Promise<void>((resolve) => {
    // An engine that takes no more calls is ending the update, and says why itself.
    monitor.registerResourceOutputs(request, () => {
      resolve();
    });
  });
}
