import { expect } from "vitest";
import type { Run } from "./engine.ts";
import type { Estate } from "./estate.ts";

/** Steps of a component that a run listed or ran, by name, without gates and ids. */
export function stepsIn(output: string, component: string): string[] {
  const lines = output.matchAll(/^\s*(?:\+\+|\+-|\+)\s+.*?\s(\S+?)\s+(?:create|creat|replac)/gm);
  return [...new Set([...lines].map((line) => line[1] ?? ""))]
    .filter((name) => name.startsWith(`${component}-`) && !/-(gate|id)$/.test(name))
    .sort();
}

/** Preview, then update: both succeed, and what the preview listed is what ran. */
export async function asPreviewed(estate: Estate): Promise<Run> {
  const preview = await estate.project.pulumi(["preview"]);
  expect(preview.code, preview.output).toBe(0);
  const up = await estate.up();
  expect(up.code, up.output).toBe(0);
  expect(stepsIn(up.output, "sounz")).not.toEqual([]);
  expect(stepsIn(up.output, "sounz")).toEqual(stepsIn(preview.output, "sounz"));
  return up;
}
