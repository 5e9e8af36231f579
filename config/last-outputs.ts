import * as pulumi from "@pulumi/pulumi";
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
