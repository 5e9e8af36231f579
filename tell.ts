import * as pulumi from "@pulumi/pulumi";
import { systems as registry } from "./components/registry.ts";
import type { System } from "./components/system.ts";
import { lastLook, lookLines } from "./config/last-look.ts";
import type { DeclaredEstate } from "./estate.ts";
import { counted, runBookLines } from "./transition/run-book.ts";

const running = "open: the last update did not end here; npx pulumi up goes on where it stopped";

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
    const noticed = todo.filter(({ users }) => users !== undefined).map(({ name }) => name);
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
 * Export of each entry how far the update came. The engine keeps what was told last, also of an update that fails; the whole
 * outputs come when all of it has ended.
 */
export function tellOutcome({ outcome }: DeclaredEstate): void {
  const told = Object.fromEntries(Object.keys(outcome).map((name) => [name, running]));
  const tell = () => {
    const stack = pulumi.runtime.getStackResource();
    if (stack) pulumi.runtime.registerResourceOutputs(stack, { outcome: { ...told } });
  };
  tell();
  for (const [name, ended] of Object.entries(outcome))
    ended.apply((text) => {
      told[name] = text;
      tell();
    });
}
