/** A rule of the house that a file breaks. */
export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly text: string;
  /** Said, but no reason to fail. */
  readonly mild?: boolean;
}

/** bash reads a compound command whole before it runs it: a release that overwrites a running script cannot add to it. */
const lastLines = ["{", '  main "$@"', "  exit", "}"];
const shebang = "#!/usr/bin/env bash";
const lines = { wanted: 60, allowed: 90, allowedInLibrary: 150 };

/** Whether a file of scripts/ is sourced by others instead of being started. */
export function isLibrary(file: string): boolean {
  return /(^|\/)lib[^/]*\.sh$/.test(file);
}

/** What one host script breaks. @param file its path from the root of the checkout. */
export function scriptProblems(file: string, text: string): Problem[] {
  const all = text.trimEnd().split("\n");
  const problems: Problem[] = [];
  const say = (line: number, what: string, mild = false) => problems.push({ file, line, text: what, mild });
  if (!isLibrary(file)) {
    if (all[0] !== shebang) say(1, `the first line is not ${shebang}`);
    if (!all[1]?.startsWith("# "))
      say(2, "there is no header that says what the script does; it is its --help");
    if (all.slice(-lastLines.length).join("\n") !== lastLines.join("\n")) {
      say(
        all.length,
        `the end is not ${lastLines.map((line) => line.trim()).join("; ")}: text written over a running script would run`,
      );
    }
  }
  for (const [at, line] of all.entries()) {
    if (line.trimStart().startsWith("#")) continue;
    if (/(^|[\s;|&(!])sleep\s/.test(line) && !isLibrary(file))
      say(at + 1, "bare sleep: use wait_until, or pause of lib.sh");
    if (/(^|[\s;|&(!])eval\s/.test(line)) say(at + 1, "eval: words stay words");
  }
  const allowed = isLibrary(file) ? lines.allowedInLibrary : lines.allowed;
  if (all.length > allowed) say(all.length, `${all.length} lines, at most ${allowed}: it is two steps`);
  else if (all.length > lines.wanted && !isLibrary(file)) {
    say(all.length, `${all.length} lines, wanted are at most ${lines.wanted}`, true);
  }
  return problems;
}

const unfinished = new RegExp(
  `\\b(${["TO", "FIX"].map((half) => `${half}${half === "TO" ? "DO" : "ME"}`).join("|")})\\b`,
);

/** What any file of ours breaks. */
export function textProblems(file: string, text: string): Problem[] {
  return text.split("\n").flatMap((line, at) => {
    const found: string[] = [];
    if (unfinished.test(line)) found.push("unfinished work: do it, or leave it out");
    if (/eslint-disable/.test(line) && !/ -- \S/.test(line))
      found.push("a rule is switched off without ` -- reason`");
    return found.map((text) => ({ file, line: at + 1, text }));
  });
}
