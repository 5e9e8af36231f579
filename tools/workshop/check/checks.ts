import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ensureCommands } from "../setup/debian.ts";
import { root } from "../../../config/places.ts";
import { run } from "../setup/run.ts";
import { isLibrary, scriptProblems, textProblems } from "./house.ts";

const deadlineSeconds = 300;

/** One check, done. */
export interface Checked {
  readonly name: string;
  readonly passed: boolean;
  readonly seconds: number;
  /** What a person reads: all of it when it failed, warnings else. */
  readonly output: string;
}

interface Check {
  readonly name: string;
  readonly does: () => Promise<{ readonly passed: boolean; readonly output: string }>;
}

const files = (...patterns: string[]) => globSync(patterns, { cwd: root }).sort();

const shellFiles = () => files("{scripts,demo,tools,test,bench}/**/*.sh", ".ci/run");

/** A check that is a command: its exit code decides. */
function command(name: string, argv: () => readonly string[]): Check {
  return {
    name,
    does: async () => {
      const { code, output } = await run(argv(), {
        seconds: deadlineSeconds,
        cwd: root,
        env: { NO_COLOR: "1", ...process.env },
      });
      return { passed: code === 0, output: code === 0 ? "" : output };
    },
  };
}

const tool = (name: string) => join(root, "node_modules", ".bin", name);

/** The same, for a program that npm does not bring. */
function shell(program: string, argv: () => readonly string[], name = program): Check {
  const { does } = command(name, argv);
  return {
    name,
    does: async () => {
      await ensureCommands({ [program]: program }, "the checks of shell scripts");
      return does();
    },
  };
}

const house: Check = {
  name: "house rules",
  does: () => {
    const texts = files(
      "*.{ts,mjs}",
      "{components,transition,config,platforms,scripts,demo,policies,tools,test,bench,docs}/**/*.{ts,mjs,sh,py,md}",
    );
    const read = (file: string) => readFileSync(join(root, file), "utf8");
    const problems = [
      ...files("{scripts,demo}/**/*.sh").flatMap((file) => scriptProblems(file, read(file))),
      ...texts.flatMap((file) => textProblems(file, read(file))),
    ];
    const output = problems.map(
      ({ file, line, text, mild }) => `${file}:${line}: ${mild ? "warning: " : ""}${text}\n`,
    );
    return Promise.resolve({ passed: problems.every(({ mild }) => mild), output: output.join("") });
  },
};

const yearMs = 366 * 86_400_000;

/** What comes from outside: Node is renewed each year, and no package of npm has a known hole, where a registry can be asked. */
const outside: Check = {
  name: "packages from outside",
  does: async () => {
    const log = join(root, "node_modules", `node-${process.platform}-${process.arch}`, "CHANGELOG.md");
    const day = existsSync(log)
      ? /^## (\d{4}-\d\d-\d\d), Version/m.exec(readFileSync(log, "utf8"))?.[1]
      : undefined;
    const old = day !== undefined && Date.now() - Date.parse(day) > yearMs;
    const audit = ["npm", "audit", "--audit-level=high", "--fetch-retries=0", "--fetch-timeout=10000"];
    const { code, output } = await run(audit, { seconds: 60, cwd: root });
    const unasked = /audit endpoint returned an error|ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN/.test(
      output,
    );
    return {
      passed: code === 0 || unasked,
      output: [
        ...(old
          ? [`warning: Node is pinned to a version of ${day}; name a newer one in package.json\n`]
          : []),
        ...(unasked
          ? ["warning: the registry answers no npm audit, so known holes were not looked for\n"]
          : []),
        ...(code === 0 || unasked ? [] : [output]),
      ].join(""),
    };
  },
};

/** Two rows, run side by side: the checks of the second take together as long as the one of the first. */
const rows: readonly (readonly Check[])[] = [
  [command("lint", () => [tool("eslint"), "--max-warnings", "0", "."])],
  [
    command("types", () => [tool("tsc"), "--noEmit"]),
    command("format", () => [tool("prettier"), "--check", "--log-level", "warn", "."]),
    shell("shellcheck", () => ["shellcheck", ...shellFiles().filter((file) => !isLibrary(file))]),
    // Who sources a library uses its variables, and sets those that it uses.
    shell(
      "shellcheck",
      () => ["shellcheck", "--exclude", "SC2034,SC2154", ...shellFiles().filter(isLibrary)],
      "shellcheck libraries",
    ),
    shell("shfmt", () => ["shfmt", "-d", "-i", "2", "-ci", ...shellFiles()]),
    house,
    outside,
  ],
];

async function carryOut({ name, does }: Check): Promise<Checked> {
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  try {
    const { passed, output } = await does();
    return { name, passed, seconds: seconds(), output };
  } catch (error) {
    return {
      name,
      passed: false,
      seconds: seconds(),
      output: `${error instanceof Error ? error.message : String(error)}\n`,
    };
  }
}

/** Run all checks, and hand each to `report` when it is done. */
export async function checkAll(report: (checked: Checked) => void): Promise<readonly Checked[]> {
  const inRow = async (row: readonly Check[]) => {
    const done: Checked[] = [];
    for (const check of row) {
      const checked = await carryOut(check);
      report(checked);
      done.push(checked);
    }
    return done;
  };
  return (await Promise.all(rows.map(inRow))).flat();
}

/** The lines of one check. */
export function describeCheck({ name, passed, seconds, output }: Checked): string {
  const rest = output.trimEnd().replaceAll("\n", "\n    ");
  return `${passed ? "passed" : "FAILED"}  ${name} (${seconds.toFixed(1)} s)${rest && `\n    ${rest}`}`;
}
