import { htmlText, wellFormed } from "../page/html.ts";

/** A space without width: what GitHub and GitLab make links of (`@name`, `#1`) is plain text with it. */
const apart = "\u200b";

/** The longest text of one cell or line; longer ones are in the JSON. UTF-16 units. */
const longest = 600;

/** A command that a reader pastes, as messages of this program have it. */
const commands =
  /npx pulumi config (?:set|rm) [^,;`\n|]+|npx pulumi [a-z]+(?: -{1,2}[a-z-]+(?: '[^'`\n|]*')?)*|npm run [a-z:-]+(?: -- --[a-z-]+)?/g;

/** Any text as one line of Markdown that shows it, and does nothing else. Also for a cell of a table. */
export function plain(text: string, limit = longest): string {
  return (
    oneLine(text, limit)
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
      .replace(/[\\`*_{}[\]#!|~$^]/g, (letter) => `\\${letter}`)
      // Mentions, issues, merge requests, labels, milestones, emoji and links are found in the text as it is shown.
      .replace(/(@|\\#|\\!|\\~|\\\$|%|&amp;)(?=[\w"'])/g, `$1${apart}`)
      .replace(/:(?=(?!\d\d:)[\w+-]+:)/g, `:${apart}`)
      .replace(/:(?=\/\/)/g, `:${apart}`)
      .replace(/\b(GH-|www\.)/gi, (word) => `${word.slice(0, -1)}${apart}${word.slice(-1)}`)
  );
}

/** The same, with the commands in it as code, so that they are copied as they are. */
export function prose(text: string, limit = longest): string {
  const whole = oneLine(text, limit);
  let [shown, at] = ["", 0];
  for (const { 0: command, index } of whole.matchAll(commands)) {
    const bare = command.trimEnd();
    shown += plainPart(whole.slice(at, index)) + code(bare);
    at = index + bare.length;
  }
  return shown + plainPart(whole.slice(at));
}

/** A part keeps its spaces at both ends. */
function plainPart(text: string): string {
  const [, before = "", inner = "", after = ""] = /^(\s*)(.*?)(\s*)$/s.exec(text) ?? [];
  return `${before && " "}${plain(inner)}${after && " "}`;
}

/** A text as code, in a line or a cell. What would end a comment, or has no end of code, is plain text instead. */
export function code(text: string): string {
  const whole = oneLine(text);
  if (whole === "" || /-->|<!--|\\|`/.test(whole)) return plain(whole);
  return `\`${whole.replaceAll("|", String.raw`\|`)}\``;
}

/** Lines as a block of code, whose fence is longer than any in them. */
export function fenced(lines: readonly string[], language = "text"): string[] {
  const safe = lines.map((line) =>
    oneLine(line, 2000)
      .replace(/--(?=>)/g, `--${apart}`)
      .replace(/<(?=!--)/g, `<${apart}`),
  );
  const runs = safe.flatMap((line) => [...line.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(Math.max(3, ...runs.map((run) => run + 1)));
  return [`${fence}${language}`, ...safe, fence];
}

/** Without control characters, lone halves of letters, marks that turn the direction of reading, and ends of lines. */
export function oneLine(text: string, limit = longest): string {
  const line = wellFormed(text)
    // eslint-disable-next-line no-control-regex -- They are what is taken out.
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ")
    .replace(/[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, "")
    .trim();
  // A letter of two units is not cut in half.
  return line.length <= limit ? line : `${line.slice(0, limit).replace(/[\ud800-\udbff]$/, "")}…`;
}

/** Any text in HTML inside of Markdown, where a backslash is one: for a line that begins with an element. */
export const summaryText = (text: string): string =>
  htmlText(oneLine(text)).replace(/[@#!~$%:](?=\w)/g, (sign) => `${sign}${apart}`);
