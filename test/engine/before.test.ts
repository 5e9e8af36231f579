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

/** How a preview shows what is known only when the update runs. */
const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/**
 * Whether a step has the same triggers, words apart. Whether a row is needed that depends on a verdict is not known in a
 * preview that replaces the row with the verdict; it says what it said before, since its transition is done.
 */
function decidesTheSame(before: Half | undefined, after: Half | undefined): boolean {
  const { says: _, ...old } = before?.inputs?.triggers?.[0] ?? {};
  const { says: __, ...now } = after?.inputs?.triggers?.[0] ?? {};
  const keys = new Set([...Object.keys(old), ...Object.keys(now)]);
  return [...keys].every((key) => now[key] === old[key] || now[key] === unknown);
}

/**
 * What a preview may plan on a state that an older release has left: other scripts are copied, software that was among
 * them has a copy of its own, and a step whose words are other ones is replaced. On a host whose transition is done it
 * acts on nothing. A secret that an older release used for several purposes is now one for each. Components are no work on
 * a host: they say what people read of a transition, and what tools read of the stack.
 */
function isHarmless({ op, oldState, newState }: Step): boolean {
  const type = (newState ?? oldState)?.type ?? "";
  if (type === "command:remote:CopyToRemote") return op !== "delete";
  if (type === "changeover:index:Transition") return op === "update";
  if (type === "random:index/randomPassword:RandomPassword") return op === "create";
  if (/^changeover:index:(Estate|Measured)$/.test(type)) return op === "create";
  if (!/^(replace|create-replacement|delete-replaced)$/.test(op)) return false;
  return newState === undefined || decidesTheSame(oldState, newState);
}

/**
 * What this release begins anew on purpose: a pair's secrets are one for each purpose, a pool's releases become root's and
 * its port is closed to all but its balancers, and so are the ports of a volume. Whoever is told a secret is told again when
 * it is another one, and the processes that read it are started anew.
 */
const begun: Readonly<Record<string, readonly string[]>> = {
  dev: [
    "crossbow-host-prodapp01-provision-",
    "crossbow-host-prodapp02-provision-",
    "crossbow-release-roll-",
    ...["app1", "app2", "db", "proxy", "worker"].map((role) => `scalr-scalr-${role}-host-`),
    "sounz-provision-",
    "styles-volume-bricks-",
  ],
  prod: ["sounz-provision-"],
};

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

  it("previews with nothing but other scripts and other words: no other transition begins anew", async () => {
    const run = await project.pulumi(["preview", "--json", "--show-sames"], 200);
    ok(run);
    const { steps } = JSON.parse(run.output.slice(run.output.indexOf("{"))) as { steps: Step[] };
    expect(steps.length).toBeGreaterThan(50);
    const changes = steps.filter(({ op }) => op !== "same");
    const anew = begun[name] ?? [];
    const others = changes.filter(
      (step) => !isHarmless(step) && !anew.some((transition) => nameOf(step).startsWith(transition)),
    );
    expect(others.map((step) => `${step.op} ${nameOf(step)}`)).toEqual([]);
    const ids = changes.filter(({ newState }) => newState?.type === "random:index/randomId:RandomId");
    expect([...new Set(ids.map(nameOf))].sort()).toEqual(anew.map((transition) => `${transition}id`));
  });
});
