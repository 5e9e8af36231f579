import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { runTool, stackArgs, stackOptions } from "./flags.ts";
import { html } from "./page/html.ts";
import { pageOf } from "./page/shell.ts";
import { exported } from "./stack.ts";
import { mermaidOf } from "./timeline/mermaid.ts";
import { sectionOf } from "./timeline/page.ts";
import { svgOf } from "./timeline/picture.ts";
import { beginOf, type Timeline, timelinesIn } from "./timeline/timeline.ts";
import { moment, textOf, titleOf } from "./timeline/words.ts";

const help = `Say who did what when in the last run of a transition, and for how long users were away. Read-only, from the state.

Usage: npm run timeline -- [--transition sounz-switch] [--svg FILE | --html FILE | --mermaid] [--stack NAME] [--cwd FOLDER]

  --transition   which one; left out: the one that ran last
  --svg FILE     a picture
  --html FILE    a page with the picture and the table
  --mermaid      Markdown for a pull request, which draws it

Ends with 0, 1 when there is nothing to show, 64 when it is called wrongly.`;

const options = {
  ...stackOptions,
  transition: { type: "string" },
  svg: { type: "string" },
  html: { type: "string" },
  mermaid: { type: "boolean" },
} as const;

type Flags = ReturnType<typeof parseArgs<{ readonly options: typeof options }>>["values"];

/** @throws when there is no such transition. */
function chosen(timelines: readonly Timeline[], name: string | undefined): Timeline {
  const [last] = timelines;
  if (!last) throw new Error("the state has no transition yet; run npx pulumi up first");
  const found = name === undefined ? last : timelines.find(({ transition }) => transition === name);
  if (found) return found;
  const names = timelines.map(({ transition }) => transition).join(", ");
  throw new Error(`the state has no transition ${String(name)} (allowed: ${names})`);
}

/** What else may be asked for, for the reader of a text; empty when there is nothing else. */
function others(timelines: readonly Timeline[], shown: Timeline): string {
  const names = timelines
    .filter((one) => one !== shown && one.parts.length > 0)
    .map((one) => `${one.transition} (${moment(beginOf(one))})`);
  return names.length === 0 ? "" : `\n\nothers, with --transition: ${names.join(", ")}`;
}

async function timeline(flags: Flags): Promise<number> {
  const timelines = timelinesIn(exported(stackArgs(flags)));
  const shown = chosen(timelines, flags.transition);
  if (flags.svg !== undefined) writeFileSync(flags.svg, await svgOf(shown));
  if (flags.html !== undefined)
    writeFileSync(flags.html, pageOf(titleOf(shown), html`${await sectionOf(shown)}`));
  if (flags.mermaid) console.log(mermaidOf(shown));
  if (flags.svg === undefined && flags.html === undefined && !flags.mermaid)
    console.log(`${textOf(shown)}${others(timelines, shown)}`);
  return 0;
}

await runTool(help, () => parseArgs({ options }).values, timeline);
