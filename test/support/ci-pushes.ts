import { readFileSync } from "node:fs";
import { expect, it, type TestContext } from "vitest";
import { type CiRepository, operatingNothing } from "./ci-repository.ts";
import type { Run } from "./engine.ts";
import type { ForgeServer, Kept } from "./forge.ts";

const marker = "<!-- changeover:runbook changeover/prod -->";

/** A repository, the server that it is pushed to, and how a push is carried out on this machine. */
export interface Forged {
  readonly repository: () => CiRepository;
  readonly server: () => ForgeServer;
  readonly push: (context: TestContext) => Promise<Run>;
  /** A file that the job kept. */
  readonly artifact: (name: string) => string;
  /** Where comments are, as posting names it. */
  readonly place: string;
  /** What the first push shows besides. */
  readonly shows: string;
  /** What each part of the job may see of the secrets, sorted. */
  readonly seen: readonly string[];
}

/** What both CI files do, push after push, on a pull request that has comments of others already. */
export function itPostsRunBooks({ repository, server, push, artifact, place, shows, seen }: Forged): void {
  let first: Kept;
  let stackFile: string;
  const ours = () => server().comments.filter(({ body }) => body.startsWith(marker));
  const kept = (name: string) => readFileSync(artifact(name), "utf8");
  const verdict = () => (JSON.parse(kept("runbook.json")) as { verdict: string }).verdict;

  it("the first push creates a comment; only the command that needs them gets the secrets", async (context) => {
    stackFile = repository().stackFile;
    server().addForeign(40);
    repository().seen();
    const { code, output } = await push(context);
    expect(code, output).toBe(0);
    expect(output).toContain(`comment created on ${place}`);
    expect(output).toContain(shows);
    expect(server().comments).toHaveLength(41);
    expect(ours()).toHaveLength(1);
    first = { ...ours()[0]! };
    expect(verdict()).toBe("plan");
    expect(kept("runbook.md").trimEnd()).toBe(first.body.trimEnd());
    expect(kept("runbook.html")).not.toBe("");
    expect(repository().seen().sort()).toEqual(seen);
  });

  it("the second push edits the first comment", async (context) => {
    repository().stackFile = operatingNothing(stackFile);
    server().addForeign(2);
    const { code, output } = await push(context);
    expect(code, output).toBe(0);
    expect(output).toContain(`comment edited on ${place}`);
    expect(ours().map(({ id }) => id)).toEqual([first.id]);
    expect(ours()[0]?.body).not.toBe(first.body);
  });

  it("an error of the program fails the job, and is a comment too", async (context) => {
    repository().stackFile = stackFile.replace("production: slayer", "production: megadeht");
    const { code, output } = await push(context);
    expect(code, output).not.toBe(0);
    expect(ours().map(({ id }) => id)).toEqual([first.id]);
    expect(ours()[0]?.body).toContain("megadeht");
    expect(verdict()).toBe("error");
  });

  it("nothing to do is a comment too", async (context) => {
    repository().stackFile = operatingNothing(stackFile);
    await repository().pulumi("up", "--stack", "prod", "--yes", "--skip-preview");
    const { code, output } = await push(context);
    expect(code, output).toBe(0);
    expect(ours().map(({ id }) => id)).toEqual([first.id]);
    expect(ours()[0]?.body).toMatch(/nothing to do/i);
    expect(verdict()).toBe("nothing");
  });
}
