import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Project } from "../support/engine.ts";
import { ok } from "./two-hosts.ts";

interface Half {
  readonly type: string;
  readonly inputs?: { readonly triggers?: readonly Record<string, string>[] };
}

interface Step {
  readonly op: string;
  readonly urn: string;
  readonly oldState?: Half;
  readonly newState?: Half;
}

const nameOf = ({ urn }: Step): string => urn.slice(urn.lastIndexOf("::") + 2);

/** The triggers of a step, words apart. */
function decides(half: Half | undefined): string {
  const { says: _, ...rest } = half?.inputs?.triggers?.[0] ?? {};
  return JSON.stringify(Object.entries(rest).sort());
}

/**
 * What a preview may plan on a state that an older release has left: other scripts are copied, software that was among them has a copy
 * of its own, and a step whose words
 * are other ones is replaced. On a host whose transition is done it acts on nothing.
 */
function isHarmless(step: Step): boolean {
  const { oldState, newState } = step;
  if (/-software-/.test(nameOf(step))) return step.newState?.type === "command:remote:CopyToRemote";
  if (/-scripts$/.test(nameOf(step))) return oldState?.type === "command:remote:CopyToRemote";
  if (!/^(replace|create-replacement|delete-replaced)$/.test(step.op)) return false;
  return newState === undefined || decides(oldState) === decides(newState);
}

// Made by the release before its files got the folders of today, with a plugin that answered every command.
describe.each(["dev", "prod"])("a state of %s that an older release has made", (name) => {
  const folder = join(import.meta.dirname, "before");
  const project = new Project(join(import.meta.dirname, "..", ".."));

  beforeAll(async () => {
    ok(await project.pulumi(["stack", "init", "test"]));
    writeFileSync(join(project.folder, "Pulumi.test.yaml"), readFileSync(join(folder, `${name}.yaml`)));
    const state = join(project.folder, "before.json");
    writeFileSync(state, gunzipSync(readFileSync(join(folder, `${name}.json.gz`))));
    ok(await project.pulumi(["stack", "import", "--file", state]));
  });
  afterAll(() => {
    project.remove();
  });

  it("previews with nothing but other scripts and other words: no transition begins anew", async () => {
    const run = await project.pulumi(["preview", "--json", "--show-sames"], 200);
    ok(run);
    const { steps } = JSON.parse(run.output.slice(run.output.indexOf("{"))) as { steps: Step[] };
    expect(steps.length).toBeGreaterThan(50);
    const changes = steps.filter(({ op }) => op !== "same");
    expect(changes.filter((step) => !isHarmless(step)).map((step) => `${step.op} ${nameOf(step)}`)).toEqual(
      [],
    );
  });
});
