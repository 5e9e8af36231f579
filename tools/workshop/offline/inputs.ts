import { randomBytes } from "node:crypto";
import type { Failure } from "./provider.ts";
import { isAsset, isObject, plain, type Properties, unknown, type Value } from "./values.ts";

/** A resource's id as the real plugin makes it: its name and eight hex digits. */
export const uniqueId = (name: string): string => name + randomBytes(4).toString("hex");

function kindOf(value: Value): string {
  if (Array.isArray(value)) return "array";
  if (isAsset(value)) return "asset";
  if (isObject(value)) return "object";
  return typeof value;
}

/** Inputs that are missing or of another kind than the schema says. What a preview does not know yet passes. */
export function faults(
  owner: string,
  kinds: Readonly<Record<string, string>>,
  required: readonly string[],
  inputs: Properties,
): Failure[] {
  const missing = required
    .filter((name) => inputs[name] == null)
    .map((name) => ({ property: name, reason: `Missing required field '${name}' on '${owner}'` }));
  const wrong = Object.entries(kinds).flatMap(([name, kind]) => {
    const value = inputs[name] == null ? undefined : plain(inputs[name]);
    if (value == null || value === unknown || kindOf(value) === kind || kind === "asset") return [];
    const reason = `Field '${name}' on '${owner}' must be a '${kind}'; got '${kindOf(value)}' instead`;
    return [{ property: name, reason }];
  });
  return [...missing, ...wrong];
}
