import { spawn } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Looked, lookedFile } from "../../config/last-look.ts";
import { runBookLines } from "../../transition/run-book-lines.ts";
import { booksIn } from "../../tools/runbook/books.ts";
import { type Digest, readDigest, resourcesIn } from "../../tools/runbook/digest.ts";
import { documentSchema } from "../../tools/runbook/document.ts";
import { blankProject, configure, dev, earlierProject, flipped, stackId } from "../support/before.ts";
import type { Project, Run } from "../support/engine.ts";
import { ok } from "./two-hosts.ts";

const root = join(import.meta.dirname, "..", "..");
/** `npm run runbook` of a checkout for the stack of a project. */
function runbook(project: Project, args: readonly string[] = [], checkout = root): Promise<Run> {
  const child = spawn(
    process.execPath,
    [join(checkout, "tools", "runbook.ts"), "--cwd", project.folder, ...args],
    {
      env: project.env,
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let output = "";
  child.stdout.on("data", (data: Buffer) => (output += data.toString()));
  child.stderr.on("data", (data: Buffer) => (output += data.toString()));
  return new Promise((resolve) => {
    child.on("close", (code) => {
      resolve({ code, output });
    });
  });
}

async function digestOf(project: Project): Promise<Digest> {
  const run = await project.pulumi(["preview", "--json", "--show-sames"], 200);
  ok(run);
  return readDigest(run.output);
}

/**
 * Lines of a run-book in any order: without numbers, columns, and names that stand for the same phase as before. Words of rows that wait
 * for a verdict are known to the program alone.
 */
const comparable = (lines: readonly string[]): string[] =>
  lines
    .slice(1)
    .map((line) =>
      line
        .replace(/^ *\d+\. (\S+ {2,}|\s+)/, "")
        .replace(/ \[[^\]]*\]$/, "")
        .replace(/\s+/g, " ")
        .trim(),
    )
    .sort();

describe("the run-book of a stack that an older release has made", () => {
  let project: Project;
  beforeAll(async () => {
    project = await earlierProject(root);
  });
  afterAll(() => {
    project.remove();
  });

  it.each([
    ["a flip", flipped],
    ["other words only", dev],
  ])("says of %s what the preview tells in the terminal", async (_, file) => {
    configure(project, file);
    const digest = await digestOf(project);
    const { books } = booksIn(resourcesIn(digest));
    const told = digest.diagnostics.map(({ message }) => message).filter((text) => / preflight /.test(text));
    // What this release begins anew in any case: before.test.ts names it.
    expect(told.length).toBe(file === dev ? 10 : 11);
    // The program tells them in the order in which it comes to know them.
    const inOrder = (all: readonly string[][]) => all.map((lines) => lines.join("\n")).sort();
    expect(inOrder(books.map(({ book }) => comparable(runBookLines(book))))).toEqual(
      inOrder(told.map((text) => comparable(text.trimEnd().split("\n")))),
    );
    expect(books.map(({ book }) => runBookLines(book)[0]).sort()).toEqual(
      told.map((text) => text.split("\n")[0]).sort(),
    );
  });

  it("ends with 2 when there is something to do, and writes comment, page and JSON", async () => {
    configure(project, flipped);
    const file = (name: string): string => join(project.folder, name);
    const files = ["--markdown", file("rb.md"), "--json", file("rb.json"), "--html", file("rb.html")];
    const run = await runbook(project, [...files, "--detailed-exitcode"]);
    expect(run.code, run.output).toBe(2);
    expect(run.output).toContain("changeover/test: 11 transitions, users notice sounz-switch");
    const document = documentSchema.parse(JSON.parse(readFileSync(file("rb.json"), "utf8")));
    expect(document.stackId).toBe(stackId);
    expect(readFileSync(file("rb.md"), "utf8")).toContain("<!-- changeover:runbook changeover/test -->\n");
    expect(readFileSync(file("rb.html"), "utf8")).toContain("production slayer =&gt; megadeth");
  });

  it("ends with 1 for a stack file with an error, and has the error in the comment all the same", async () => {
    configure(project, dev.replace("production: slayer", "production: slayre"));
    const run = await runbook(project, ["--detailed-exitcode"]);
    expect(run.code).toBe(1);
    expect(run.output).toContain(
      "<!-- changeover:runbook changeover/test -->\n### changeover/test: the preview ended with an error",
    );
    expect(run.output).toContain("did you mean slayer?");
    const nowhere = await runbook(project, ["--stack", "nowhere"]);
    expect(nowhere.code).toBe(1);
    expect(nowhere.output).toContain("<!-- changeover:runbook changeover/nowhere -->");
    expect(nowhere.output).toContain("no stack named 'nowhere' found");
  });
});

describe("the run-book of a stack from blank", () => {
  it("says of every transition what the preview tells in the terminal", async () => {
    const project = await blankProject(root);
    const digest = await digestOf(project);
    project.remove();
    const { books } = booksIn(resourcesIn(digest));
    const told = digest.diagnostics.map(({ message }) => message).filter((text) => / preflight /.test(text));
    expect(books.length).toBe(26);
    const all = (texts: readonly (readonly string[])[]) => texts.map(comparable).sort();
    expect(all(books.map(({ book }) => runBookLines(book)))).toEqual(
      all(told.map((text) => text.trimEnd().split("\n"))),
    );
  });
});

describe("two clones with stacks of one name, in two backends", () => {
  let [one, other]: [Project | undefined, Project | undefined] = [undefined, undefined];
  let clone = "";
  let data = "";
  beforeAll(async () => {
    one = await earlierProject(root);
    clone = join(one.folder, "clone");
    data = join(one.folder, "data");
    const parts = [
      "components",
      "config",
      "platforms",
      "scripts",
      "tools",
      "transition",
      "package.json",
      "demo",
    ];
    const files = ["index.ts", "estate.ts", "tell.ts", "config.ts", "tsconfig.json", "Pulumi.yaml"];
    for (const part of [...parts, ...files]) cpSync(join(root, part), join(clone, part), { recursive: true });
    symlinkSync(join(root, "node_modules"), join(clone, "node_modules"));
    other = await earlierProject(clone, "0123456789abcdef");
    for (const project of [one, other]) {
      project.env.XDG_DATA_HOME = data;
      configure(project, flipped);
    }
  }, 200_000);
  afterAll(() => {
    one?.remove();
    other?.remove();
  });

  /** What somebody saw of a stack's hosts. */
  const look = (id: string, said: string): void => {
    const request = { host: "slayer", probe: "pair/probe", words: ["sounz"] };
    const seen = [{ request, look: { host: "slayer", failure: said } }];
    const entries = [{ system: "pairs", name: "sounz", expected: {}, outcome: "complete", seen }];
    const looked: Looked = { at: Date.now(), by: "ops@admin", entries };
    const file = lookedFile(id, { XDG_DATA_HOME: data });
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify(looked));
  };

  it("never tell of one what was seen of the other, in a preview or in a run-book", async () => {
    if (!one || !other) throw new Error("no projects");
    look(stackId, "said something to the first one");
    const told = async (project: Project, checkout: string) => {
      const preview = join(project.folder, "preview.json");
      const run = await project.pulumi(["preview", "--json", "--show-sames"], 200);
      writeFileSync(preview, run.output);
      const terminal = readDigest(run.output).diagnostics.map(({ message }) => message);
      return [terminal.join("\n"), (await runbook(project, ["--from", preview], checkout)).output];
    };
    for (const text of await told(one, root)) expect(text).toContain("said something to the first one");
    for (const text of await told(other, clone)) {
      expect(text).not.toContain("said something to the first one");
      expect(text).toContain("nobody looked at them from this machine");
    }
    rmSync(lookedFile(stackId, { XDG_DATA_HOME: data }));
    look("0123456789abcdef", "said something to the second one");
    for (const text of await told(one, root)) expect(text).not.toContain("said something");
    for (const text of await told(other, clone)) expect(text).toContain("said something to the second one");
  }, 300_000);
});
