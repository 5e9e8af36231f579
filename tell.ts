import * as pulumi from "@pulumi/pulumi";
import { systems as registry } from "./components/registry.ts";
import type { System } from "./components/system.ts";
import { lastLook, lookLines } from "./config/last-look.ts";
import { registerOutputs } from "./config/last-outputs.ts";
import { type DeclaredEstate, open } from "./estate.ts";
import { counted } from "./transition/run-book.ts";
import { isNoticed, runBookLines } from "./transition/run-book-lines.ts";

/**
 * Tell in a preview what the update will do, in order and in whole sentences: the CLI itself shows only the properties that
 * change, and cuts them. Nothing is dialled.
 *
 * @param stackId of the state: what somebody saw of its hosts before is told too.
 */
export async function tellRunBooks(
  { runBooks }: DeclaredEstate,
  stackId: unknown,
  systems: readonly System[] = registry,
): Promise<void> {
  const books = await runBooks();
  const todo = books.filter(({ state }) => state !== "reworded");
  if (todo.length > 0) {
    const noticed = todo.filter(isNoticed).map(({ name }) => name);
    const users = noticed.length === 0 ? "users notice nothing" : `users notice ${noticed.join(" and ")}`;
    const looked = stackId === undefined ? [] : lookLines(lastLook(stackId), Date.now(), systems);
    await pulumi.log.info(
      [`run-book: ${counted(todo.length, "transition")}; ${users}`, ...looked].join("\n"),
    );
  }
  for (const book of todo) await pulumi.log.info(runBookLines(book).join("\n"));
  const reworded = books.length - todo.length;
  if (reworded > 0)
    await pulumi.log.info(
      `${counted(reworded, "transition")} of this release ${reworded === 1 ? "has" : "have"} other words; nothing is done on any host for that`,
    );
}

/**
 * Keep in the state how far the update came with each entry, also when it fails. The whole outputs come when all of it has ended, after
 * whatever is told here.
 *
 * @returns what the stack exports.
 */
export function tellOutcome({
  outputs,
  outcome,
  reached,
}: DeclaredEstate): Readonly<Record<string, unknown>> {
  const texts = Object.fromEntries(Object.keys(outcome).map((name) => [name, open]));
  const now = () => plain({ outcome: texts, ...reached((name) => texts[name] === open) });
  let told = registerOutputs(now());
  const ended = Object.entries(outcome).map(([name, output]) => [
    name,
    output.apply(async (text) => {
      texts[name] = text;
      told = told.then(() => registerOutputs(now()));
      await told;
      return text;
    }),
  ]);
  return { ...outputs, outcome: Object.fromEntries(ended) as object };
}

/** A copy for the engine, as it is now. */
const plain = (value: object): Parameters<typeof registerOutputs>[0] =>
  JSON.parse(JSON.stringify(value)) as Parameters<typeof registerOutputs>[0];
