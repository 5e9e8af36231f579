import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ensureCommands } from "./setup/debian.ts";

const help = `Make the picture of a run-book's comment for README, about as GitHub shows it.

Usage: node tools/workshop/comment-picture.ts COMMENT [PICTURE]

PICTURE is docs/pictures/comment.png unless it is named. The comment of the picture is that of a real flip. To make one:
  npm run rehearse                  a pair on local hosts; it switches and switches back, so its runs are measured
  then change production in the stack file that it names, and in its folder, with --stack and --cwd as it prints:
  npm run runbook -- --live --markdown comment.md`;

/** Of the page, in CSS pixels. */
const [width, height] = [1180, 640];

const style = `
body { font: 14px/1.5 "Noto Sans", "Liberation Sans", Arial, sans-serif; color: #1f2328; margin: 0; padding: 24px 28px; }
h3 { font-size: 18px; margin: 0 0 12px; } p, ul { margin: 0 0 12px; } ul { padding-left: 24px; }
table { border-collapse: collapse; margin: 0 0 14px; font-size: 13px; }
th, td { border: 1px solid #d1d9e0; padding: 6px 11px; text-align: left; }
th { font-weight: 600; background: #f6f8fa; }
code { font: 12px "DejaVu Sans Mono", monospace; background: #eff1f3; border-radius: 5px; padding: 2px 5px; }
details { margin: 0 0 8px; } sub { color: #59636e; font-size: 11px; vertical-align: baseline; }
pre.mermaid { text-align: center; margin: 0 0 12px; }
`;

/** The page of a comment: its Markdown by GitHub's own parser, its diagram by Mermaid. */
function pageOf(comment: string): string {
  const shown = execFileSync("cmark-gfm", ["--extension", "table", "--unsafe"], {
    input: comment,
    encoding: "utf8",
  });
  const body = shown.replace(
    /<pre><code class="language-mermaid">([^]*?)<\/code><\/pre>/g,
    '<pre class="mermaid">$1</pre>',
  );
  const mermaid = readFileSync(createRequire(import.meta.url).resolve("@mermaid-js/tiny"), "utf8");
  return `<!doctype html><meta charset="utf-8"><style>${style}</style>${body}
<script>${mermaid.replaceAll("</script", "<\\/script")}
mermaid.initialize({ startOnLoad: true, theme: "neutral", flowchart: { useMaxWidth: true } });</script>`;
}

async function draw(comment: string, picture: string): Promise<void> {
  await ensureCommands({ "cmark-gfm": "cmark-gfm", chromium: "chromium" }, "the picture of a comment");
  const folder = mkdtempSync(join(tmpdir(), "changeover-picture-"));
  try {
    const page = join(folder, "page.html");
    writeFileSync(page, pageOf(readFileSync(comment, "utf8")));
    const options = [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--hide-scrollbars",
      "--force-device-scale-factor=1",
    ];
    const window = [`--window-size=${String(width)},${String(height)}`, "--virtual-time-budget=8000"];
    execFileSync(
      "chromium",
      [
        ...options,
        ...window,
        `--user-data-dir=${join(folder, "profile")}`,
        `--screenshot=${picture}`,
        pathToFileURL(page).href,
      ],
      {
        stdio: "ignore",
        timeout: 60_000,
      },
    );
    console.log(`${picture}: ${(statSync(picture).size / 1024).toFixed(0)} KiB`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const [comment, picture = join(import.meta.dirname, "..", "..", "docs", "pictures", "comment.png")] =
  process.argv.slice(2);
if (comment === undefined || comment === "--help") {
  console.log(help);
  process.exitCode = comment === undefined ? 64 : 0;
} else await draw(comment, picture);
