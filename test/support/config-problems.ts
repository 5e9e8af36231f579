import { expect } from "vitest";
import { ConfigError, parseConfig } from "../../config.ts";

/** What is wrong with the keys of a stack file, a line each, without its first line; empty: nothing. */
export function configProblems(keys: Readonly<Record<string, unknown>>): string[] {
  try {
    parseConfig(keys, "Pulumi.test.yaml");
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message
      .split("\n")
      .slice(1)
      .map((line) => line.trim());
  }
}
