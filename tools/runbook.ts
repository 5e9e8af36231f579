import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { systems } from "../components/registry.ts";
import { absentLooks } from "./runbook/absent-looks.ts";
import { resourcesIn, stackIn } from "./runbook/digest.ts";
import type { RunBookDocument } from "./runbook/document.ts";
import { factsBefore } from "./runbook/facts.ts";
import { htmlOf } from "./runbook/html.ts";
import { type Live, lookNow } from "./runbook/live.ts";
import { markdownOf, markerOf } from "./runbook/markdown.ts";
import { documentOf, type Plan, planOf } from "./runbook/model.ts";
import type { ForgeName } from "./runbook/post.ts";
import { commitOf, namesOf, preview, type Previewed, readPreview } from "./runbook/preview.ts";
import { refusedLine, titleOf } from "./runbook/words.ts";

const help = `The run-book of what npx pulumi up would do now, for a reviewer: as a comment, a page, or JSON. Makes one preview; changes nothing.

Usage: npm run runbook -- [--stack NAME] [--cwd FOLDER] [--live] [--markdown FILE] [--json FILE] [--html FILE]
                          [--post github|gitlab] [--from PREVIEW] [--detailed-exitcode]

  --live               ask the hosts now, read-only, whether the update would be refused; without it the last
                       npm run look of this machine is told, with its age
  --markdown FILE      the comment: always shorter than 65,536 characters; without any file it is printed
  --json FILE          all of it, for programs: docs/runbook.schema.json
  --html FILE          all of it as one page
  --post FORGE         edit the comment of the pull request that CI runs for, or add it
  --from PREVIEW       a file that npx pulumi preview --json --show-sames has printed; take only your own: --live
                       asks the hosts that it names
  --detailed-exitcode  end with 2 when there is something to do

Ends with 0; 1 when the program, the stack file or the post has an error (the comment is written all the same); with --live
77 when the update would be refused, 75 when a host gave no answer.`;

const [text, yes] = [{ type: "string" }, { type: "boolean" }] as const;
const options = {
  stack: text,
  cwd: text,
  from: text,
  post: text,
  markdown: text,
  json: text,
  html: text,
  live: yes,
  "detailed-exitcode": yes,
  help: yes,
};

type Flags = ReturnType<typeof parseArgs<{ options: typeof options }>>["values"];

/** A run-book, and how the command ends for it. */
interface Written {
  readonly document: RunBookDocument;
  readonly exitCode: number;
}

async function made(flags: Flags): Promise<Written> {
  const cwd = flags.cwd ?? process.cwd();
  const at = new Date();
  const previewed = flags.from === undefined ? await preview(cwd, flags.stack) : readPreview(flags.from);
  const plan = planOf(previewed.digest);
  const { live, problem } = flags.live && !previewed.failed ? await looked(previewed, plan) : {};
  const diagnostics = problem === undefined ? plan.diagnostics : [...plan.diagnostics, problem];
  const names = stackIn(previewed.digest) ?? (await namesOf(cwd, flags.stack));
  const document = documentOf(
    { ...plan, diagnostics },
    {
      ...names,
      commit: commitOf(cwd),
      at,
      failed: previewed.failed || problem !== undefined,
      facts: live?.facts ?? factsBefore(plan.stackId, Date.now(), systems),
      refusals: live?.refusals ?? [],
      unanswered: live?.unanswered ?? [],
    },
  );
  return { document, exitCode: exitCodeOf(document, live, flags["detailed-exitcode"] ?? false) };
}

/** What the hosts say now. That they can't be asked is told, and fails the command. */
async function looked({ digest }: Previewed, { books, stackId }: Plan) {
  try {
    return { live: await lookNow(books, absentLooks(resourcesIn(digest), stackId)) };
  } catch (error) {
    return { problem: { severity: "error", text: `no host was asked: ${(error as Error).message}` } };
  }
}

function exitCodeOf(
  { verdict, unanswered }: RunBookDocument,
  live: Live | undefined,
  detailed: boolean,
): number {
  if (verdict === "error") return 1;
  if (live?.refused) return 77;
  if (unanswered.length > 0) return 75;
  if (verdict === "refused") return 77;
  return detailed && verdict === "plan" ? 2 : 0;
}

/** Everything that was asked for. @throws when a file can't be written or the comment not be posted. */
async function write({ document }: Written, flags: Flags): Promise<void> {
  const markdown = markdownOf(document);
  if (flags.markdown !== undefined) writeFileSync(flags.markdown, markdown);
  if (flags.json !== undefined) writeFileSync(flags.json, `${JSON.stringify(document, null, 2)}\n`);
  if (flags.html !== undefined) writeFileSync(flags.html, htmlOf(document));
  if (flags.post !== undefined) {
    const { postComment } = await import("./runbook/post.ts");
    await postComment(flags.post as ForgeName, { marker: markerOf(document), body: markdown }, process.env);
  }
  const isKept = [flags.markdown, flags.json, flags.html, flags.post].some((file) => file !== undefined);
  if (!isKept) process.stdout.write(markdown);
  else console.log([titleOf(document), refusedLine(document)].filter(Boolean).join("; "));
}

function flagsIn(args: string[]): Flags {
  const { values } = parseArgs({ args, options });
  if (values.post !== undefined && values.post !== "github" && values.post !== "gitlab")
    throw new Error(`--post ${values.post} is not allowed; allowed: github, gitlab`);
  return values;
}

async function main(args: string[]): Promise<number> {
  let flags: Flags;
  try {
    flags = flagsIn(args);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${help}`);
    return 64;
  }
  if (flags.help) {
    console.log(help);
    return 0;
  }
  const written = await made(flags);
  await write(written, flags);
  return written.exitCode;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
