import { join } from "node:path";
import { readDigest } from "../tools/runbook/digest.ts";
import { markdownOf } from "../tools/runbook/markdown.ts";
import { documentOf, planOf } from "../tools/runbook/model.ts";
import { blankProject, configure, dev, earlierProject, flipped } from "../test/support/before.ts";
import type { Project } from "../test/support/engine.ts";

const help = `How long a preview is to read, and the comment of npm run runbook for the same.

Usage: npm run bench:runbook

Previews of the development stack, which dial nothing: from a state that an older release has made, so steps with other words are among
what the CLI lists, and from blank.`;

const root = join(import.meta.dirname, "..");

/** Two servers more, and another release for all four. */
const released = dev
  .replace('release: "4684"', 'release: "4685"')
  .replace("    prodapp02: {}\n", "    prodapp02: {}\n    prodapp03: {}\n    prodapp04: {}\n")
  .replace(
    "        prodapp02: in\n",
    "        prodapp02: in\n        prodapp03: in\n        prodapp04: in\n",
  );
const upgraded = dev.replace('version: "7.3.0-1"', 'version: "7.4.0-1"');

const cases: readonly (readonly [name: string, text: string, blank?: true])[] = [
  ["flip of the pair", flipped],
  ["release to 4 servers, 2 new", released],
  ["upgrade of 5 hosts", upgraded],
  ["all of it from blank", dev, true],
];

async function said(project: Project, ...args: string[]): Promise<string> {
  const { code, output } = await project.pulumi(["preview", ...args], 300);
  if (code !== 0) throw new Error(output);
  return output;
}

/** The comment of a preview, as no host was asked. */
function commentOf(json: string): string {
  const document = documentOf(planOf(readDigest(json)), {
    ...{ project: "changeover", stack: "test", commit: null, at: new Date(), failed: false },
    facts: { source: "nobody", at: null, by: null, says: "hosts: no host was asked", lines: [] },
    ...{ refusals: [], unanswered: [] },
  });
  return markdownOf(document);
}

const size = (text: string): string => {
  const lines = text.trimEnd().split("\n").length;
  return `${String(lines).padStart(6)} lines ${(Buffer.byteLength(text) / 1024).toFixed(1).padStart(7)} KiB`;
};

async function main(): Promise<void> {
  const comments: string[] = [];
  for (const [name, text, blank] of cases) {
    const project = await (blank ? blankProject(root) : earlierProject(root));
    try {
      configure(project, text);
      const json = await said(project, "--json", "--show-sames");
      const comment = commentOf(json);
      comments.push(comment);
      console.log(name);
      console.log(`  pulumi preview         ${size(await said(project))}`);
      console.log(`  pulumi preview --diff  ${size(await said(project, "--diff"))}`);
      console.log(`  pulumi preview --json  ${size(json)}`);
      console.log(`  the comment            ${size(comment)}`);
    } finally {
      project.remove();
    }
  }
  console.log(`\nThe first 30 lines of the flip's comment:\n`);
  console.log((comments[0] ?? "").split("\n").slice(0, 30).join("\n"));
}

if (process.argv.includes("--help")) console.log(help);
else await main();
