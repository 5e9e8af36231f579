import { readFileSync, writeFileSync } from "node:fs";
import { globSync } from "node:fs";
import { join } from "node:path";
import { systems as registry } from "../components/registry.ts";
import type { Example, System } from "../components/system.ts";
import { phasesOf, type Row } from "../transition/table.ts";

const root = join(import.meta.dirname, "..");

const who = { host: "", operator: "the machine that runs `up`", platform: "the platform's API" } as const;

function where(row: Row): string {
  if (row.by === "operator") return who.operator;
  if (row.by === "platform") return `${who.platform}, to \`${row.on}\``;
  return row.on === "each" ? "each member" : `\`${row.on}\``;
}

function scriptOf({ by, script, software }: Row): string {
  if (by) return script;
  return software ? `${script}/install.sh` : `scripts/${script}.sh`;
}

function rowsOf({ table, lookSeconds = 15 }: Example): string[] {
  const line = (phase: string, script: string, on: string, says: string, limit: string) =>
    `| ${phase} | ${script} | ${on} | ${says} | ${limit} |`;
  return [
    "| phase | script | runs on | what is so afterwards | deadline |",
    "| --- | --- | --- | --- | --- |",
    line(
      "preflight",
      "`transition/run/preflight.ts`",
      who.operator,
      "every host was probed; nothing was changed",
      `${String(lookSeconds)} s`,
    ),
    line(
      "claim",
      "`scripts/claim.sh`",
      "each member",
      "the host belongs to this transition and its epoch",
      "60 s",
    ),
    ...phasesOf(table).flatMap(([phase, rows]) =>
      rows.map((row) => {
        const says = row.pointOfNoReturn ? `**point of no return:** ${row.says}` : row.says;
        const script = `\`${scriptOf(row)}\``;
        return line(phase, script, where(row), says, `${String(row.deadlineSeconds)} s`);
      }),
    ),
    line(
      "done",
      "`scripts/done.sh`",
      "each member",
      "the transition's steps act on nothing from now on",
      "60 s",
    ),
  ];
}

function diagram({ table }: Example): string[] {
  const phases = ["preflight", "claim", ...phasesOf(table).map(([phase]) => phase), "done"];
  return [
    "```mermaid",
    "flowchart LR",
    ...phases.slice(1).map((phase, index) => `  ${phases[index] ?? ""} --> ${phase}`),
    "```",
  ];
}

/** The transitions as a document, from the tables that the program runs. */
export function transitionsDocument(systems: readonly System[] = registry): string {
  const examples = systems.flatMap((system) => Object.values(system.examples));
  const sections = examples.flatMap((example) => [
    `## ${example.title}`,
    "",
    ...diagram(example),
    "",
    ...rowsOf(example),
    "",
  ]);
  return [
    "# Transitions",
    "",
    "Made by `npm run docs` from the tables in `components/`; a test fails when it is stale. A phase begins when the one",
    "before it has ended on every host. Every row can be run again: it looks first and says so when it is so already.",
    "",
    ...sections,
  ].join("\n");
}

/** Seed rows that test titles name, with the tests. */
export function rowsDocument(): string {
  const found = new Map<string, Set<string>>();
  for (const file of globSync("test/**/*.test.ts", { cwd: root }).sort()) {
    const text = readFileSync(join(root, file), "utf8");
    for (const [, row] of text.matchAll(/\[(\d{3}-\d{3})\]/g)) {
      found.set(row ?? "", (found.get(row ?? "") ?? new Set()).add(file));
    }
  }
  const lines = [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([row, files]) => `| ${row} | ${[...files].map((file) => `\`${file}\``).join(", ")} |`);
  return [
    "# Rows of the seeds, and the tests that prove them",
    "",
    "Made by `npm run docs` from the titles of the tests; a test fails when it is stale.",
    "",
    "| row | proved in |",
    "| --- | --- |",
    ...lines,
    "",
  ].join("\n");
}

/** Documents that are made, by path. */
export const documents: Readonly<Record<string, () => string>> = {
  "docs/transitions.md": () => transitionsDocument(),
  "docs/rows.md": rowsDocument,
};

if (import.meta.main) {
  for (const [path, make] of Object.entries(documents)) {
    writeFileSync(join(root, path), make());
    console.log(`wrote ${path}`);
  }
}
