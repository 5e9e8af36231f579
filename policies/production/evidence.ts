import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { LineCounter, isNode, parseDocument } from "yaml";
import { lastLook } from "../../config/last-look.ts";
import { nameOf } from "../../transition/open.ts";
import type { Commit, Line } from "./decide.ts";

/** The folder with `Pulumi.yaml` and the stack files. */
const project = join(import.meta.dirname, "..", "..");

/** The keepers of an id, as in the state. */
export type Keepers = Readonly<Record<string, string>>;

interface State {
  readonly deployment: {
    readonly resources?: readonly {
      readonly urn: string;
      readonly type: string;
      readonly delete?: boolean;
      readonly outputs?: { readonly keepers?: Keepers; readonly hex?: string };
    }[];
  } | null;
}

/** What a stack was at its last update. */
export interface Before {
  /** The id that the stack made, under which looks are kept. */
  readonly stackId?: string;
  /** The keepers of every id, by the name of its resource. */
  readonly keepers: ReadonlyMap<string, Keepers>;
}

/**
 * What the state says of the last update. A policy sees only what is planned, so the
 * CLI is asked for the state, with secrets sealed.
 *
 * @param stack its full name: organization/project/stack.
 * @throws when the CLI cannot read the state.
 */
export function stateBefore(stack: string): Before {
  const text = ask("pulumi", ["stack", "export", "--stack", stack, "--non-interactive"]);
  const resources = (JSON.parse(text) as State).deployment?.resources ?? [];
  const ids = new Map(
    resources
      .filter((one) => one.type === "random:index/randomId:RandomId" && one.delete !== true)
      .map((one) => [nameOf(one.urn), one.outputs ?? {}]),
  );
  return {
    stackId: ids.get("stack")?.hex,
    keepers: new Map([...ids].map(([name, { keepers = {} }]) => [name, keepers])),
  };
}

/** How long ago a stack was last looked at, in milliseconds; undefined when no look is kept. */
export function lookAge(stackId: string | undefined, now: number): number | undefined {
  const looked = lastLook(stackId);
  return looked && now - looked.at;
}

/**
 * The line of a key of a pair in a stack file, with the commit that wrote it; undefined when there is no such line.
 *
 * @param file its path.
 */
export function lineOf(file: string, pair: string, key: string): Line | undefined {
  if (!existsSync(file)) return undefined;
  const lineCounter = new LineCounter();
  const document = parseDocument(readFileSync(file, "utf8"), { lineCounter });
  const value = document.getIn(["config", "changeover:pairs", pair, key], true);
  if (!isNode(value) || !value.range) return undefined;
  const { line } = lineCounter.linePos(value.range[0]);
  return { place: `${basename(file)}:${String(line)}`, commit: commitOf(file, line) };
}

/** The file of a stack in this project. @param stack its short name. */
export const stackFile = (stack: string): string => join(project, `Pulumi.${stack}.yaml`);

/** The commit that wrote a line; undefined when it is in none, also because git keeps no such file. */
function commitOf(file: string, line: number): Commit | undefined {
  const git = (...words: readonly string[]) => ask("git", ["-C", dirname(file), ...words]);
  try {
    const at = String(line);
    const [id = ""] = git("blame", "--porcelain", "-L", `${at},${at}`, "--", basename(file)).split(" ", 1);
    if (/^0+$/.test(id)) return undefined;
    const reason = git("log", "-1", "--format=%(trailers:key=Reason,valueonly)", id).trim();
    return { id: id.slice(0, 10), reason: reason || undefined };
  } catch {
    return undefined;
  }
}

function ask(command: string, words: readonly string[]): string {
  return execFileSync(command, words, {
    cwd: project,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 1024 * 1024 * 1024,
  });
}
