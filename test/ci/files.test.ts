import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { root } from "../../config/places.ts";
import { run } from "../../tools/workshop/setup/run.ts";
import type { ToolName } from "../../tools/workshop/test/ci-tools.ts";
import { toolFor } from "../support/ci-repository.ts";

const text = readFileSync(join(root, ".github", "workflows", "preview.yml"), "utf8");
const folder = mkdtempSync(join(tmpdir(), "changeover-workflow-"));
const file = join(folder, ".github", "workflows", "preview.yml");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a check finds in a workflow of its own repository; undefined when it finds nothing. */
async function findings(argv: readonly string[], workflow: string): Promise<string | undefined> {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, workflow);
  const { code, output } = await run([...argv, file], { seconds: 60, cwd: folder });
  return code === 0 ? undefined : output;
}

type Fault = readonly [what: string, from: string | RegExp, to: string, found: RegExp];
interface Check {
  readonly name: ToolName;
  readonly args: readonly string[];
  /** Changes of the file that the check must find. */
  readonly faults: readonly Fault[];
}

const checks: readonly Check[] = [
  {
    name: "actionlint",
    args: [],
    faults: [
      [
        "a key that the matrix lacks",
        "name: ${{ matrix.stack }}",
        "name: ${{ matrix.stak }}",
        /property "stak" is not defined/,
      ],
      ["a runner that is none", "ubuntu-24.04", "ubuntu-1", /label "ubuntu-1" is unknown/],
    ],
  },
  {
    name: "zizmor",
    // No network: actions are judged by their text.
    args: ["--offline", "--no-progress", "--persona", "pedantic"],
    faults: [
      ["an action by its tag", /checkout@\S+/, "checkout@v7", /unpinned-uses/],
      ["secrets for forks", "  pull_request:", "  pull_request_target:", /dangerous-triggers/],
      ["a token left in the checkout", "persist-credentials: false", "fetch-depth: 1", /artipacked/],
      ["rights of its own", "permissions: {}", "permissions: write-all", /excessive-permissions/],
      [
        "a text of the pull request in a script",
        'missing=""',
        "echo ${{ github.head_ref }}",
        /template-injection/,
      ],
    ],
  },
];

describe.each(checks)("$name", ({ name, args, faults }) => {
  it("finds nothing in preview.yml", async (context) => {
    expect(await findings([await toolFor(context, name), ...args], text)).toBeUndefined();
  });

  it.for(faults)("would find %s", async ([_, from, to, said], context) => {
    const changed = text.replace(from, to);
    expect(changed).not.toBe(text);
    expect(await findings([await toolFor(context, name), ...args], changed)).toMatch(said);
  });
});

it("every action is pinned by its commit, with the version beside it", () => {
  const uses = [...text.matchAll(/uses: (.*)$/gm)].map(([, what]) => what);
  expect(uses).toHaveLength(4);
  for (const what of uses) expect(what).toMatch(/^actions\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
});
