/** One thing that is wrong with a stack file, and where. */
export interface Problem {
  readonly path: readonly string[];
  readonly text: string;
}

const valueLength = 60;

/** A value as the reader of a message sees it. */
export function shown(value: unknown): string {
  const text = (JSON.stringify(value) as string | undefined) ?? "nothing";
  return text.length > valueLength ? `${text.slice(0, valueLength)}…` : text;
}

/** `slayr` among `slayer, megadeth` gives `allowed: slayer, megadeth; did you mean slayer?`. */
export function allowedWords(word: string, words: readonly string[]): string {
  const near = nearest(word, words);
  const allowed = `allowed: ${words.length > 0 ? words.join(", ") : "none"}`;
  return near === undefined ? allowed : `${allowed}; did you mean ${near}?`;
}

/** The word that was probably meant; undefined when none is close. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  const wanted = word.toLowerCase();
  const ranked = words
    .map((candidate) => ({ candidate, distance: edits(wanted, candidate.toLowerCase()) }))
    .sort((one, other) => one.distance - other.distance);
  const best = ranked[0];
  if (best && best.distance <= Math.ceil(wanted.length / 3)) return best.candidate;
  return words.find((candidate) => wanted.length > 2 && candidate.toLowerCase().startsWith(wanted));
}

/** How many letters must be put in, taken out or changed to make one word of another. */
function edits(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [line, letter] of [...from].entries()) {
    const next = [line + 1];
    for (let column = 1; column <= to.length; column++) {
      const changed = (row[column - 1] ?? 0) + (letter === to[column - 1] ? 0 : 1);
      next.push(Math.min((row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1, changed));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}

/** A path as it stands in a stack file and behind `pulumi config set --path`. */
export function pathText(path: readonly string[]): string {
  const [top = "", ...rest] = path;
  const deeper = rest.map((key) => {
    if (/^\d+$/.test(key)) return `[${key}]`;
    return /^[\w-]+$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
  });
  return `changeover:${top}${deeper.join("")}`;
}

/** All problems as one message: a line each, in the order of their paths, none twice. */
export function problemText(source: string, problems: readonly Problem[]): string {
  const lines = problems.map(({ path, text }) => `  ${pathText(path)}: ${text}`);
  const sorted = [...new Set(lines)].sort();
  const count = sorted.length === 1 ? "1 problem" : `${String(sorted.length)} problems`;
  return [`${source} has ${count}; nothing was touched:`, ...sorted].join("\n");
}
