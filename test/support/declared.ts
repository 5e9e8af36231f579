import * as pulumi from "@pulumi/pulumi";
import { declareEstate } from "../../estate.ts";
import { shortStackTraces } from "../../transition/short-stacks.ts";
import type { System } from "../../components/system.ts";
import { parseConfig } from "../../config.ts";
import type { Platform } from "../../platforms/platform.ts";
import { type Declared, declaredBy, valueOf } from "./mocks.ts";
import { committedStack } from "./stack-file.ts";

class Move extends pulumi.CustomResource {
  constructor(name: string, opts: pulumi.CustomResourceOptions) {
    super("test:index:Move", name, {}, opts);
  }
}

/** Hosts by the names of a stack file, on a platform that makes nothing. */
function platformFor(names: readonly string[], movedBy: "host" | "platform"): Platform {
  const hosts = names.map((name, index): [string, NonNullable<ReturnType<Platform["hosts"]["get"]>>] => [
    name,
    {
      name,
      ssh: pulumi.output({
        host: `192.0.2.${String(index + 1)}`,
        port: 22,
        user: "root",
        hostKey: "ssh-ed25519 AAAA",
      }),
      identity: pulumi.output(`${name}-machine`),
      address: pulumi.output(`192.0.2.${String(index + 1)}`),
      ready: [],
    },
  ]);
  return {
    hosts: new Map(hosts),
    serviceAddress: () => ({
      address: pulumi.output("192.0.2.46"),
      movedBy,
      move: (name, _, opts) => new Move(name, opts),
    }),
    fence: () => ({ by: "operator", command: pulumi.output("power-switch off") }),
    outputs: {},
  };
}

/** What the program declares for a committed stack file with some keys changed. */
export const declaredIn = (
  file: string,
  changes: Record<string, unknown> = {},
): Promise<readonly Declared[]> => declaredFor({ ...committedStack(file), ...changes }, file);

/** What the program exports for the keys of a stack file, on a platform that makes nothing. */
export async function estateFor(
  keys: Record<string, unknown>,
  systems?: readonly System[],
): Promise<Record<string, unknown>> {
  shortStackTraces();
  const config = parseConfig(keys, "Pulumi.test.yaml", systems);
  const { result } = await declaredBy(async () => {
    const platform = platformFor(Object.keys(config.hosts), "host");
    const { outputs, facts } = await declareEstate(config, platform, undefined, systems);
    return valueOf(pulumi.output({ ...outputs, ...facts }));
  });
  return result;
}

/** Declarations of this test file so far: one takes up to a second, and many tests compare with the same one. */
const known = new Map<string, Promise<Declared[]>>();

/** What the program declares for the keys of a stack file, on a platform that makes nothing. */
export function declaredFor(
  keys: Record<string, unknown>,
  file = "Pulumi.test.yaml",
): Promise<readonly Declared[]> {
  const words = JSON.stringify([file, keys]);
  const declared = known.get(words) ?? declare(keys, file);
  known.set(words, declared);
  return declared;
}

async function declare(keys: Record<string, unknown>, file: string): Promise<Declared[]> {
  shortStackTraces();
  const config = parseConfig(keys, file);
  const platform = platformFor(Object.keys(config.hosts), config.platform === "aws" ? "platform" : "host");
  return (await declaredBy(() => declareEstate(config, platform))).declared;
}

/** A step as a line of a run-book; undefined for what is none. */
export function asLine({ name, type, inputs }: Declared): string | undefined {
  const [shown] = (inputs.triggers ?? []) as Record<string, string>[];
  if (type === "test:index:Move") return `${name}  the platform moves the service address`;
  if (!shown || !("says" in shown || "mode" in shown)) return undefined;
  const { says, host = "operator", words, mode: skipped } = shown;
  return `${name}  ${host}  ${says ?? skipped ?? ""}${words === undefined ? "" : `  [${words}]`}`;
}

/** Steps by how many others they come after; equal ones by name. */
export function inOrderOfGates(steps: readonly string[], declared: readonly Declared[]): string[] {
  const byName = new Map(declared.map((resource) => [resource.name, resource]));
  const depths = new Map<string, number>();
  const depth = (name: string): number => {
    const known = depths.get(name);
    if (known !== undefined) return known;
    depths.set(name, 0);
    const found = Math.max(0, ...(byName.get(name)?.dependsOn ?? []).map((before) => depth(before) + 1));
    depths.set(name, found);
    return found;
  };
  const of = (step: string) => depth(step.split("  ")[0] ?? "");
  return [...steps].sort((a, b) => of(a) - of(b) || (a < b ? -1 : 1));
}

/** What decides whether a step runs: it is new, or its triggers or the keepers of its id are others. */
const decides = ({ inputs }: Declared) => JSON.stringify([inputs.keepers, inputs.triggers]);

/** Names of the steps and ids that a change of the config starts. */
export function planned(before: readonly Declared[], after: readonly Declared[]): string[] {
  const old = new Map(before.map((one) => [one.name, decides(one)]));
  // In a mock the id of a transition does not follow its keepers; the engine's does.
  const anew = after
    .filter((one) => one.inputs.keepers !== undefined && old.get(one.name) !== decides(one))
    .map(({ name }) => name.replace(/-id$/, "-"));
  return after
    .filter((one) => asLine(one) !== undefined)
    .filter((one) => old.get(one.name) !== decides(one) || anew.some((prefix) => one.name.startsWith(prefix)))
    .map(({ name }) => name);
}
