import { readFileSync, writeFileSync } from "node:fs";
import { globSync } from "node:fs";
import { join } from "node:path";
import { systems as registry } from "../components/registry.ts";
import type { Example, System } from "../components/system.ts";
import { platformNames } from "../platforms/names.ts";
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
  const sections = systems.flatMap((system) => [
    `## ${system.noun.charAt(0).toUpperCase()}${system.noun.slice(1)}`,
    "",
    ...Object.values(system.examples).flatMap((example) => [
      `### ${example.title}`,
      "",
      ...diagram(example),
      "",
      ...rowsOf(example),
      "",
    ]),
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

/** Rows of the seeds, with what each asks for in our own words. */
const asks = JSON.parse(readFileSync(join(root, "docs", "rows.json"), "utf8")) as Readonly<
  Record<string, string>
>;

/** The tests that name a row in a title, by row. */
function provedRows(): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const file of globSync("test/**/*.test.ts", { cwd: root }).sort()) {
    const text = readFileSync(join(root, file), "utf8");
    for (const [, row = ""] of text.matchAll(/\[(\d{3}-\d{3})\]/g))
      found.set(row, (found.get(row) ?? new Set()).add(file));
  }
  return found;
}

/** Rows in the first column of the page that is written by hand, by themselves or as `000-037 to 000-042`. */
function otherwiseRows(): ReadonlySet<string> {
  const page = readFileSync(join(root, "docs", "rows-otherwise.md"), "utf8");
  const cells = [...page.matchAll(/^\| (\d[^|]*)\|/gm)].map(([, cell = ""]) => cell).join(", ");
  const ranges = [...cells.matchAll(/(\d{3}-\d{3}) to (\d{3}-\d{3})/g)].flatMap(([, from = "", to = ""]) =>
    Object.keys(asks).filter((row) => row >= from && row <= to),
  );
  return new Set([...ranges, ...(cells.match(/\d{3}-\d{3}/g) ?? [])]);
}

/** Every row of the seeds, by where it is answered. */
export function rowsOfSeeds() {
  const [proved, otherwise] = [provedRows(), otherwiseRows()];
  const rows = [...new Set([...Object.keys(asks), ...proved.keys(), ...otherwise])].sort();
  return {
    proved: rows.flatMap((row) => {
      const files = proved.get(row);
      return files ? [{ row, files: [...files] }] : [];
    }),
    otherwise: rows.filter((row) => !proved.has(row) && otherwise.has(row)),
    open: rows.filter((row) => !proved.has(row) && !otherwise.has(row)),
  };
}

/** Rows of the seeds: what each asks for, and the tests that name it in a title. */
export function rowsDocument(): string {
  const { proved, otherwise, open } = rowsOfSeeds();
  const asked = (row: string): string => asks[row] ?? "not in docs/rows.json";
  const listed = (rows: readonly string[]) => [
    "| row | asks |",
    "| --- | --- |",
    ...rows.map((row) => `| ${row} | ${asked(row)} |`),
    "",
  ];
  return [
    "# Rows of the seeds, and the tests that prove them",
    "",
    "Made by `npm run docs` from docs/rows.json and the titles of the tests; a test fails when it is stale.",
    "",
    "| row | asks | proved in |",
    "| --- | --- | --- |",
    ...proved.map(
      ({ row, files }) => `| ${row} | ${asked(row)} | ${files.map((file) => `\`${file}\``).join(", ")} |`,
    ),
    "",
    "## Answered without a test",
    "",
    "[rows-otherwise.md](rows-otherwise.md) says how each of these rows is met, or what is missing.",
    "",
    ...listed(otherwise),
    "## Open",
    "",
    "No test names these rows yet, and rows-otherwise.md does not list them.",
    "",
    ...listed(open),
  ].join("\n");
}

/** The page of a system in docs/systems: its key in the stack file, with hyphens and without the plural. */
export const pageOf = ({ key }: Pick<System, "key">): string =>
  `${key.replace(/s$/, "").replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}.md`;

const platformsBegin = "<!-- systems and platforms: made by npm run docs -->";
const platformsEnd = "<!-- end -->";

/** Which system is made on which platform. */
function platformsTable(): string {
  const rows = [
    ["system", "in the stack file", ...platformNames.map((name) => `\`${name}\``)],
    ...registry.map((system) => [
      `[${system.noun}](docs/systems/${pageOf(system)})`,
      `\`${system.key}\``,
      ...platformNames.map((name) => (system.platforms.includes(name) ? "yes" : "refused")),
    ]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const [head = [], ...body] = rows;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("\n");
}

/** The front page, with its table made anew. */
export function readmeDocument(): string {
  const text = readFileSync(join(root, "README.md"), "utf8");
  const [begin, end] = [text.indexOf(platformsBegin), text.indexOf(platformsEnd)];
  if (begin < 0 || end < begin)
    throw new Error(`README.md has no ${platformsBegin} and ${platformsEnd} after it`);
  const before = text.slice(0, begin + platformsBegin.length);
  return `${before}\n\n${platformsTable()}\n\n${text.slice(end)}`;
}

/** Documents that are made, by path. */
export const documents: Readonly<Record<string, () => string>> = {
  "README.md": readmeDocument,
  "docs/transitions.md": () => transitionsDocument(),
  "docs/rows.md": rowsDocument,
};

if (import.meta.main) {
  for (const [path, make] of Object.entries(documents)) {
    writeFileSync(join(root, path), make());
    console.log(`wrote ${path}`);
  }
}
