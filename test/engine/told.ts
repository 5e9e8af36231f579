import { join } from "node:path";
import { expect } from "vitest";
import { booksIn, expectRanAsTold, toldIn } from "../support/printed-books.ts";
import { ok } from "../support/runs.ts";
import type { ToldStack } from "../support/told-stack.ts";

/** What a preview prints is the golden file; it dials nothing and runs nothing. */
export async function tells(stack: ToldStack, golden: string): Promise<string> {
  const before = stack.dials;
  const preview = await stack.preview();
  ok(preview);
  expect(stack.dials - before).toBe(0);
  expect(stack.ran()).toEqual([]);
  const told = toldIn(preview.output);
  await expect(`${told}\n`).toMatchFileSnapshot(join(import.meta.dirname, "run-books", `${golden}.txt`));
  return told;
}

/** The update after that runs what was told, in that order, and nothing else. */
export async function runsAsTold(stack: ToldStack, golden: string): Promise<string> {
  const told = await tells(stack, golden);
  ok(await stack.up());
  expectRanAsTold(told, stack.ran());
  return told;
}

/** A preview plans nothing and tells of nothing, and an update dials nobody. */
export async function isSettled(stack: ToldStack): Promise<void> {
  const preview = await stack.preview();
  ok(preview);
  expect(booksIn(toldIn(preview.output))).toEqual([]);
  expect(preview.output).not.toContain("run-book");
  expect(preview.output).not.toMatch(/to (create|update|replace|delete)/);
  const before = stack.dials;
  ok(await stack.up());
  expect(stack.dials - before).toBe(0);
  expect(stack.ran()).toEqual([]);
}

/** What the stack exports of how far its last update came, and whether it still exports the rest. */
export async function outcomeOf(stack: ToldStack): Promise<Record<string, string>> {
  return (await stack.outputs()).outcome as Record<string, string>;
}
