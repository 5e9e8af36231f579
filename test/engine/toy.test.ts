import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systems as registry } from "../../components/registry.ts";
import type { System } from "../../components/system.ts";
import { hostLines } from "../../config/last-look.ts";
import { compare, lookedAt } from "../../tools/compare.ts";
import { booksIn } from "../../tools/runbook/books.ts";
import { readDigest, resourcesIn } from "../../tools/runbook/digest.ts";
import { transitionsDocument } from "../../tools/docs.ts";
import { stackSchemaText } from "../../tools/schema.ts";
import { entriesIn, looksAtMarks, outputsIn, type StackOutputs } from "../../tools/stack.ts";
import { openTransitions } from "../../transition/open.ts";
import { toy } from "../fixtures/systems/toy/index.ts";
import { Project } from "../support/engine.ts";
import { type Sshd, startSshd } from "../support/sshd.ts";
import { failed, ok } from "./two-hosts.ts";

const systems: readonly System[] = [...registry, toy];

/** A system of a hundred lines that is handed in as one more entry of the list: whatever is said of all, is said of it. */
describe("one more system", () => {
  const project = new Project(join(import.meta.dirname, "toy", "index.ts"));
  const root = (host: string) => join(project.folder, "hosts", host);
  const sshds = new Map<string, Sshd>();
  const toys = { top: { host: "a", colour: "red" } };
  const scenario = join(project.folder, "scenario.json");
  project.env.SCENARIO = scenario;

  const file = (keys: object = {}) => {
    const targets = [...sshds].map(([name, { host, port, user, hostKey, privateKeyPath }]) => [
      name,
      { host, port, user, hostKey, privateKeyPath, sudo: false, scriptsRoot: join(root(name), "opt") },
    ]);
    const all = { platform: "local", hosts: { a: {}, b: {} }, toys, ...keys };
    writeFileSync(scenario, JSON.stringify({ keys: all, targets: Object.fromEntries(targets) as object }));
  };
  const colours = () => {
    const painted = join(root("a"), "colours");
    return existsSync(painted) ? readFileSync(painted, "utf8").trim().split("\n") : [];
  };
  const dials = () => [...sshds.values()].reduce((sum, sshd) => sum + sshd.dials(), 0);
  const refusal = async (keys: object) => {
    file(keys);
    const before = dials();
    const run = await project.pulumi(["preview"]);
    failed(run);
    expect(dials()).toBe(before);
    return run.output;
  };
  const outputs = async (): Promise<StackOutputs> => outputsIn(await project.state());

  beforeAll(async () => {
    for (const name of ["a", "b"]) {
      mkdirSync(root(name), { recursive: true });
      sshds.set(name, await startSshd({ name, env: { CHANGEOVER_ROOT: root(name) } }));
    }
    ok(await project.pulumi(["stack", "init", "test"]));
  });
  afterAll(async () => {
    for (const sshd of sshds.values()) await sshd.stop();
    project.remove();
  });

  it("is checked: a wrong value, an unknown host, a platform where it is not made", async () => {
    expect(await refusal({ toys: { top: { host: "a", colour: "gren" } } })).toContain(
      'changeover:toys.top.colour: "gren" is not allowed; allowed: red, green; did you mean green?',
    );
    expect(await refusal({ toys: { top: { host: "c", colour: "red" } } })).toContain(
      "changeover:toys.top.host",
    );
    expect(await refusal({ toys: { Top: toys.top } })).toContain("changeover:toys.Top");
  });

  it("is in the editors' schema, and in the documents", async () => {
    expect(await stackSchemaText(systems)).toContain('"changeover:toys"');
    expect(transitionsDocument(systems)).toContain("## Toy: paint");
    expect(transitionsDocument()).not.toContain("Toy");
  });

  it("is previewed without a dial, and refused by its name and by absent while it is used", async () => {
    file();
    const before = dials();
    const preview = await project.pulumi(["preview"]);
    ok(preview);
    expect(preview.output).toContain("top-toy-paint-paint-act-a");
    expect(dials()).toBe(before);
    expect(await refusal({ absent: ["a"] })).toContain(
      'changeover:absent[0]: "a" is changeover:toys.top.host',
    );
    const cache = { nodes: { b: "in" }, clients: ["b"] };
    expect(await refusal({ caches: { top: cache } })).toContain('"top" is changeover:');
  });

  it("fails, says why, and goes on where it stopped", async () => {
    file();
    writeFileSync(join(root("a"), "no-paint"), "");
    const run = await project.up();
    failed(run);
    expect(run.output).toContain("has no paint");
    expect(colours()).toEqual([]);
    expect(entriesIn(await outputs(), systems)[0]?.outcome).toMatch(/^open: /);
    rmSync(join(root("a"), "no-paint"));
    ok(await project.up());
    expect(colours()).toEqual(["red"]);
    const before = dials();
    ok(await project.up());
    expect(dials()).toBe(before);
  });

  it("is verified and looked at", async () => {
    const found = await outputs();
    const [entry] = entriesIn(found, systems);
    expect(entry).toMatchObject({ name: "top", outcome: "complete" });
    const verified = async () => compare(entry!, await looksAtMarks(entry!.marks, found.targets), found);
    expect(await verified()).toEqual({ lines: [], answered: true });
    expect(hostLines([await lookedAt(entry!, found.targets)], 0, systems)).toEqual([
      expect.stringMatching(/^ {2}top: a: painted [0-9a-f]{16}$/),
    ]);
    rmSync(join(root("a"), "top-toy", "done", "paint"));
    const { lines } = await verified();
    expect(lines).toContain("a: was never painted");
    expect(lines.join("\n")).toContain("npx pulumi up --replace '**::top-toy-paint-id'");
    ok(await project.up("--replace", "**::top-toy-paint-id"));
  });

  it("is one line with one cure while its transition is open", async () => {
    file({ toys: { top: { host: "a", colour: "green" } } });
    writeFileSync(join(root("a"), "no-paint"), "");
    failed(await project.up());
    const found = await outputs();
    const [entry] = entriesIn(found, systems);
    const { resources } = await project.state();
    const open = openTransitions(resources);
    const preview = await project.pulumi(["preview", "--json", "--show-sames"]);
    ok(preview);
    const { books } = booksIn(resourcesIn(readDigest(preview.output)));
    expect(books.map(({ book }) => book)).toMatchObject([
      { name: "top-toy-paint", state: "open", goal: { colour: "green" } },
    ]);
    const { lines } = await compare(entry!, await looksAtMarks(entry!.marks, found.targets), found, open);
    expect(lines).toEqual([
      expect.stringMatching(/^top-toy-paint \w{16} has not ended; continue: npx pulumi up$/),
    ]);
    rmSync(join(root("a"), "no-paint"));
    file();
    ok(await project.up());
  });

  it("is refused when its entry is dropped, or its host is another one", async () => {
    const leaves = "changeover:hosts.a: no longer in top";
    expect(await refusal({ toys: {} })).toContain(leaves);
    expect(await refusal({ toys: { top: { host: "b", colour: "red" } } })).toContain(leaves);
  });

  it("is frozen while its host is lost, and says so in the outcome", async () => {
    file({ unreachable: ["a"], toys: { top: { host: "a", colour: "green" } } });
    ok(await project.up());
    const { outcome } = await outputs();
    expect(outcome?.top).toBe("incomplete: a is in changeover:unreachable; it keeps its colour");
    expect(colours().at(-1)).toBe("red");
  });
});
