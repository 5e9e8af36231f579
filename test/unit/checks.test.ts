import { join } from "node:path";
import { Linter } from "eslint";
import { describe, expect, it } from "vitest";
import tseslint from "typescript-eslint";
import { scriptProblems, textProblems } from "../../tools/workshop/check/house.ts";
import { root } from "../../config/places.ts";
import { add, summary, tallyOf } from "../../tools/workshop/test/tally.ts";

const good = `#!/usr/bin/env bash
# Make one thing true.
# Usage: promote.sh PAIR

main() {
  receipt "x is primary"
}

{
  main "$@"
  exit
}
`;

const said = (file: string, text: string) =>
  scriptProblems(file, text).map((one) => `${one.line}: ${one.text}`);

describe("a host script", () => {
  it("that keeps the rules has no problems", () => {
    expect(scriptProblems("scripts/pair/promote.sh", good)).toEqual([]);
  });

  it("must end so that text written over it while it runs is not run", () => {
    const bare = good.replace(/\{\n {2}main.*/s, 'main "$@"\n');
    expect(said("scripts/pair/promote.sh", bare)).toEqual([
      expect.stringMatching(/^9: the end is not \{; main "\$@"; exit; \}/),
    ]);
    expect(said("scripts/pair/lib.sh", bare)).toEqual([]);
  });

  it("must say what it is and what it does", () => {
    const text = good.split("\n").slice(2).join("\n");
    expect(said("scripts/a.sh", text)).toEqual([
      "1: the first line is not #!/usr/bin/env bash",
      "2: there is no header that says what the script does; it is its --help",
    ]);
  });

  it.each(["sleep 1", "  sleep 10 &", "until x; do sleep 1; done", "(sleep 5)", "x && sleep 1"])(
    "must not wait by %j",
    (line) => {
      expect(said("scripts/a.sh", good.replace('  receipt "x is primary"', line))).toEqual([
        "6: bare sleep: use wait_until, or pause of lib.sh",
      ]);
    },
  );

  it("may name pg_sleep, and may speak of sleep", () => {
    const text = good.replace('  receipt "x is primary"', "  # no sleep here\n  sql 'select pg_sleep(1)'");
    expect(said("scripts/a.sh", text)).toEqual([]);
  });

  it("must not be too long; one that is nearly so is told", () => {
    const long = (lines: number) => good.replace("\n\nmain", `\n${"\n".repeat(lines)}main`);
    expect(scriptProblems("scripts/a.sh", long(55)).map(({ mild }) => mild)).toEqual([true]);
    expect(scriptProblems("scripts/a.sh", long(85)).map(({ mild }) => mild)).toEqual([false]);
  });
});

describe("any file", () => {
  it("has no unfinished work, and switches no rule off without a reason", () => {
    const lines = [
      ["// TO", "DO: later"].join(""),
      ["// eslint", "disable-next-line x"].join("-"),
      ["// eslint", "disable-next-line x -- why"].join("-"),
    ];
    expect(textProblems("a.ts", lines.join("\n")).map(({ line }) => line)).toEqual([1, 2]);
  });
});

describe("the tally", () => {
  const report = { numPassedTests: 5, numFailedTests: 0, numPendingTests: 2, numTodoTests: 1 };

  it("counts what vitest counted", () => {
    expect(tallyOf(report, 0)).toEqual({ passed: 5, failed: 0, skipped: 3 });
    expect(tallyOf({ ...report, numFailedTests: 3 }, 1)).toEqual({ passed: 5, failed: 3, skipped: 3 });
  });

  it("is never clean for a run that failed, had no tests, or left no report", () => {
    expect(tallyOf(report, 1).failed).toBe(1);
    expect(tallyOf({ ...report, numPassedTests: 0 }, 0).failed).toBe(1);
    expect(tallyOf(undefined, 0)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });

  it("ends in one line", () => {
    const total = add({ passed: 2, failed: 0, skipped: 0 }, { passed: 3, failed: 1, skipped: 0 });
    expect(summary(total)).toBe("5 passed, 1 failed");
    expect(summary(add(total, { passed: 0, failed: 0, skipped: 4 }))).toBe("5 passed, 1 failed, 4 skipped");
  });
});

describe("lint", async () => {
  const { default: config } = (await import(join(root, "eslint.config.mjs"))) as { default: Linter.Config[] };
  // The project's own rules need no types: without those they answer in milliseconds.
  const own = new Set(["no-restricted-syntax", "@typescript-eslint/no-restricted-imports"]);
  const ours = config
    .filter((entry) => Object.keys(entry.rules ?? {}).every((rule) => own.has(rule)) && entry.rules)
    .map((entry) => ({ ...entry, languageOptions: { parser: tseslint.parser } }));
  const plugins = { "@typescript-eslint": tseslint.plugin };

  const problems = (file: string, code: string) =>
    new Linter({ configType: "flat", cwd: "/" })
      .verify(code, [{ files: ["**/*.ts"], plugins }, ...ours], { filename: `/${file}` })
      .map(({ message }) => message.replace(/:.*/, ""));

  it.each([
    [
      "components/app-pool/component.ts",
      "new command.remote.Command('a', {})",
      "only transition/step.ts makes remote commands",
    ],
    [
      "components/app-pool/component.ts",
      "new remote.CopyToRemote('a', {})",
      "only transition/step.ts makes remote commands",
    ],
    ["index.ts", "new pulumi.Config()", "only config.ts reads pulumi.Config"],
    ["transition/step.ts", "new pulumi.Config()", "only config.ts reads pulumi.Config"],
    [
      "components/pair/component.ts",
      "x.apply((n) => new aws.Instance(n))",
      "a resource made inside apply is missing from previews",
    ],
    [
      "components/pair/goal.ts",
      "import * as p from '@pulumi/pulumi'; p",
      "'@pulumi/pulumi' import is restricted from being used by a pattern. this file is pure",
    ],
  ])("%s: %s is refused", (file, code, message) => {
    expect(problems(file, code)).toEqual([message]);
  });

  const folders = ["components/x", "transition", "transition/run", "config", "platforms", "platforms/x"];
  it.each([...folders.map((folder) => `${folder}/any.ts`), "index.ts", "estate.ts"])(
    "%s makes no remote command and reads no config",
    (file) => {
      expect(problems(file, "new command.remote.Command('a', {}); new pulumi.Config()")).toEqual([
        "only transition/step.ts makes remote commands",
        "only config.ts reads pulumi.Config",
      ]);
    },
  );

  it.each([
    ["transition/step.ts", "new command.remote.Command('a', {})"],
    ["components/app-pool/component.ts", "new command.local.Command('a', {})"],
    ["config.ts", "new pulumi.Config()"],
    ["components/pair/goal.ts", "import type * as p from '@pulumi/pulumi'; export type A = p.Input<string>"],
    ["components/pair/component.ts", "import * as p from '@pulumi/pulumi'; p"],
    ["components/pair/component.ts", "x.apply((n) => new Error(n))"],
    ["test/conformance/program/index.ts", "new command.remote.Command('a', {})"],
  ])("%s: %s is allowed", (file, code) => {
    expect(problems(file, code)).toEqual([]);
  });
});
