import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { systems } from "../../components/registry.ts";

const root = join(import.meta.dirname, "..", "..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");

/** What a reader reads as sentences: no code, no tables, no comments; a link by its words. */
const prose = (markdown: string): string =>
  markdown
    .replace(/^```.*?^```/gms, "\n")
    .replace(/<!--.*?-->/gs, "")
    .replace(/^\s*\|.*$/gm, "")
    .replace(/`[^`]*`/g, "code")
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/https?:\/\/\S+/g, "");

/** Headings, items of lists and paragraphs end a sentence too. */
const sentencesIn = (text: string): string[] =>
  text
    .split(/\n\s*\n|\n(?=\s*(?:[-*#]|\d+\.) ?)/)
    .flatMap((block) => block.replace(/\s+/g, " ").split(/(?<=[.!?][*)"]*) /))
    .map((sentence) => sentence.replace(/^[\s#*-]+|^\d+\. /, "").trim())
    .filter((sentence) => sentence !== "");

const wordsIn = (sentence: string): number =>
  sentence.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;

const longerThan = (most: number, text: string): string[] =>
  sentencesIn(text)
    .filter((sentence) => wordsIn(sentence) > most)
    .map((sentence) => `${String(wordsIn(sentence))} words: ${sentence}`);

it("sentences are told apart, and code counts as a word", () => {
  const text =
    "# A title\n\n- One `a b c` here.\n- Two. Three\n  goes on.\n\n```\nno. sentence.\n```\n| a | b |\n";
  expect(sentencesIn(prose(text))).toEqual(["A title", "One code here.", "Two.", "Three goes on."]);
  expect(longerThan(2, prose(text))).toEqual(["3 words: One code here.", "3 words: Three goes on."]);
});

it("the front page has at most 130 lines", () => {
  expect(read("README.md").trimEnd().split("\n").length).toBeLessThanOrEqual(130);
});

describe("documents have no sentence over 30 words", () => {
  const pages = [
    ...[
      "README.md",
      "CONTRIBUTING.md",
      "docs/ci.md",
      "docs/model.md",
      "docs/operate.md",
      "docs/runbook.md",
      "docs/security.md",
      "docs/style.md",
    ],
    ...globSync("docs/systems/*.md", { cwd: root }).sort(),
  ];
  it.each(pages)("%s", (page) => {
    expect(longerThan(30, prose(read(page)))).toEqual([]);
  });
});

describe("run-books have no sentence over 25 words", () => {
  const examples = systems.flatMap(({ examples: all }) => Object.values(all));
  it.each(examples.map(({ title, table }) => [title, table] as const))("%s", (_, table) => {
    expect(table.flatMap(({ says }) => longerThan(25, says))).toEqual([]);
  });
});

it("the program and its scripts name no row of the seeds: what a row says is in docs/rows.json", () => {
  const files = [
    ...["estate.ts", "config.ts", "index.ts"],
    ...["components", "transition", "config", "platforms", "scripts", "demo"].flatMap((folder) =>
      globSync(`${folder}/**/*.{ts,sh,py,json,md,conf,unit,service,pl,html}`, { cwd: root }).sort(),
    ),
  ];
  const named = files.flatMap((file) =>
    read(file)
      .split("\n")
      .flatMap((line, index) => (/\b00[0-4]-\d{3}\b/.test(line) ? [`${file}:${String(index + 1)}`] : [])),
  );
  expect(named).toEqual([]);
});
