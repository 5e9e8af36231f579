import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

const root = join(import.meta.dirname, "..", "..");

/** The keys under `changeover:` of a stack file's text, without that prefix. */
export function stackKeys(text: string): Record<string, unknown> {
  const { config } = parse(text) as { config: Record<string, unknown> };
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [key.replace(/^changeover:/, ""), value]),
  );
}

/** The same of a committed stack file, for example `Pulumi.dev.yaml`. */
export const committedStack = (file: string): Record<string, unknown> =>
  stackKeys(readFileSync(join(root, file), "utf8"));
