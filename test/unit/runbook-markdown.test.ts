import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RunBookDocument } from "../../tools/runbook/document.ts";
import { htmlText } from "../../tools/page/html.ts";
import { code, fenced, plain, prose } from "../../tools/runbook/escape.ts";
import { htmlOf } from "../../tools/runbook/html.ts";
import { levels, markdownOf, markerOf } from "../../tools/runbook/markdown.ts";
import { digestOf, documentFrom, type FakeTransition, flip } from "../support/digest.ts";

const measured = [
  { id: "2", goal: {}, seconds: 22, awaySeconds: 2.3, steps: { fence: 0.4, takeover: 1.9 } },
  { id: "1", goal: {}, seconds: 16, awaySeconds: 1.8, steps: { fence: 0.2, takeover: 1.5 } },
];

/** What somebody may put into a stack file, or a host may say. */
const evil = [
  "a | b",
  "`code` ``` more",
  "<script>alert(1)</script> <!-- x --> </details>",
  "@maintainers/all #12 !3 ~bug %v1 GH-7 :tada: https://evil.example/x www.evil.example",
  "line\nbreak\r\n### heading\u2028- item",
  "[text](javascript:alert(1)) ![image](x) **bold** _under_ $math$ ^sup^",
  "\\| \\` \\",
  "\u202eright to left\u200b \ud800 \udc00",
  '"]; click t0 "javascript:alert(1)" %%{init}%%',
];

const hostile = (text: string): FakeTransition => ({
  ...flip,
  goal: { production: text, [text]: "x" },
  users: { notice: text, from: "fence", to: "takeover" },
  wayBack: text,
  needs: [text, text],
  rows: flip.rows.map((row) => ({ ...row, says: text, words: text.slice(0, 60), host: text })),
});

const documentWith = (text: string): RunBookDocument =>
  documentFrom(
    {
      ...digestOf([hostile(text)]),
      diagnostics: [{ severity: "warning", message: text }],
    },
    {
      facts: { source: "live", at: null, by: text, says: text, lines: [text, text] },
      refusals: [{ transitions: [text], text, after: [text] }],
      unanswered: [text],
    },
  );

/** What the Markdown has outside of its fenced blocks. */
function outsideOfFences(markdown: string): string[] {
  let fence: string | undefined;
  return markdown.split("\n").filter((line) => {
    const opens = /^(`{3,})/.exec(line)?.[1];
    if (fence === undefined && opens !== undefined) {
      fence = opens;
      return false;
    }
    if (fence !== undefined && line === fence) {
      fence = undefined;
      return false;
    }
    return fence === undefined;
  });
}

/** Code begins at a backtick that no backslash stands for. */
const withoutCode = (line: string): string => line.replace(/((?:^|[^\\])(?:\\\\)*)`[^`]*`/g, "$1");

function expectHarmless(markdown: string, document: RunBookDocument): void {
  expect(markdown.startsWith(`${markerOf(document)}\n`)).toBe(true);
  expect(markdown.match(/<!--/g)).toHaveLength(1);
  expect(markdown.match(/-->/g)?.length).toBe(1 + (markdown.match(/ --> t\d/g)?.length ?? 0));
  const lines = outsideOfFences(markdown).slice(1);
  for (const line of lines.map(withoutCode)) {
    const tags = line.match(/<[^>]*>?/g) ?? [];
    for (const tag of tags) expect(tag).toMatch(/^<\/?(details|summary|sub|br)>$/);
    expect(line).not.toMatch(/[@#][\w"']/);
    expect(line).not.toMatch(/:\/\/|www\.[a-z]|GH-\d/i);
    if (line.startsWith("|")) {
      const cells = line.match(/(?<!\\)(?:\\\\)*\|/g)?.length ?? 0;
      expect([8, 6]).toContain(cells);
    }
  }
  const shown = lines.join("\n");
  const balance = (tag: string) => shown.split(`<${tag}>`).length - shown.split(`</${tag}>`).length;
  expect(["details", "summary", "sub"].map(balance)).toEqual([0, 0, 0]);
}

describe("a comment", () => {
  it("is this one for a flip that was measured and looked at", async () => {
    const document = documentFrom(digestOf([{ ...flip, runs: measured }]), {
      facts: {
        source: "live",
        at: "2026-11-30T12:00:00.000Z",
        by: "ops@admin",
        says: "ops@admin looked at 2 hosts for this, read-only, in 1.4 s",
        lines: ["sounz-switch: slayer accepts writes now", "sounz-switch: copies on megadeth: data 41 s ago"],
      },
    });
    await expect(markdownOf(document)).toMatchFileSnapshot(
      join(import.meta.dirname, "runbook", "flip.md.txt"),
    );
    await expect(htmlOf(document)).toMatchFileSnapshot(join(import.meta.dirname, "runbook", "flip.html.txt"));
  });

  it("answers in its first 30 lines what changes, who notices, how long, the way back, and whether it is refused", () => {
    const text = "megadeth is 48.0 MiB behind slayer (allowed: 16 MiB); wait until it has caught up";
    const document = documentFrom(digestOf([{ ...flip, runs: measured }]), {
      refusals: [{ transitions: ["sounz-switch"], text, after: [] }],
    });
    const first = markdownOf(document).split("\n").slice(0, 30).join("\n");
    expect(first).toContain("production slayer =&gt; megadeth");
    expect(first).toContain("the service address does not answer, from fence to takeover");
    expect(first).toContain("users: 1.8 to 2.3 s in 2 runs on this stack");
    expect(first).toContain("| takeover |");
    expect(first).toContain("`npx pulumi config set --path changeover:pairs.sounz.production slayer`");
    expect(first).toContain(`would be refused: 1 reason`);
    expect(first).toContain(text);
  });

  it("says what is not measured, with the deadlines as ceiling", () => {
    const markdown = markdownOf(documentFrom(digestOf([flip])));
    expect(markdown).toContain("users: not measured on this stack, at most 17 min");
  });

  it.each(evil)("shows %j and does nothing else", (text) => {
    const document = documentWith(text);
    expectHarmless(markdownOf(document), document);
  });

  it("shows any text and does nothing else", () => {
    const words = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom(...evil), fc.string());
    const texts = fc.array(words, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(texts, (text) => {
        const document = documentWith(text);
        expectHarmless(markdownOf(document), document);
      }),
      { numRuns: 200 },
    );
  });

  it("has commands as code, so that they are pasted as they are", () => {
    expect(prose("lost; to start again: npx pulumi up --replace '**::sounz-switch-id'")).toBe(
      "lost; to start again: `npx pulumi up --replace '**::sounz-switch-id'`",
    );
    expect(prose("look: npm run look")).toBe("look: `npm run look`");
    expect(prose("npx pulumi up goes on where it stopped")).toBe("`npx pulumi up` goes on where it stopped");
    expect(code("a`b")).toBe("a\\`b");
    expect(plain("x@y_z")).toBe("x@\u200by\\_z");
  });

  it("has a fence that is longer than any in it", () => {
    expect(fenced(["```", "a ````` b"]).at(-1)).toBe("``````");
  });
});

describe("the length of a comment", () => {
  const named = (index: number, more: Partial<FakeTransition> = {}): FakeTransition => ({
    ...flip,
    name: `${"a-long-name-of-a-system-".repeat(3)}${String(index)}`,
    ...more,
  });
  const fits = (markdown: string): void => {
    expect(markdown.length).toBeLessThan(65_536);
    expect(Buffer.byteLength(markdown)).toBeLessThan(65_536);
    for (const line of markdown.split("\n").filter((one) => one.startsWith("|"))) expect(line).toMatch(/\|$/);
  };
  /** What a comment says that it left out. */
  const leftOut = (markdown: string): string[] =>
    /Left out, since a comment has a limit: (.*?)\. All/.exec(markdown)?.[1]?.split(", ") ?? [];

  it.each([40, 150])("is under the limit for %i transitions with long names", (length) => {
    const many = Array.from({ length }, (_, index) => named(index, index % 2 ? { users: undefined } : {}));
    const markdown = markdownOf(documentFrom(digestOf(many)));
    fits(markdown);
    const left = leftOut(markdown);
    expect(left.length > 0).toBe(length === 150);
    expect(left).toEqual(levels.slice(1, 1 + left.length));
  });

  it("is under the limit for 400 steps of one transition", () => {
    const rows = Array.from({ length: 400 }, (_, index) => ({
      row: `step-${String(index)}`,
      host: "slayer",
      says: `something that takes a sentence of its own is so on each host, number ${String(index)}`,
    }));
    const markdown = markdownOf(documentFrom(digestOf([{ ...flip, rows }])));
    fits(markdown);
    expect(markdown).toContain("sounz-switch");
  });

  it("is under the limit for whatever there is, in letters of four bytes too, and keeps the first refusals", () => {
    const sizes = fc.record({
      transitions: fc.integer({ min: 0, max: 120 }),
      refusals: fc.integer({ min: 0, max: 200 }),
      facts: fc.integer({ min: 0, max: 200 }),
      diagnostics: fc.integer({ min: 0, max: 100 }),
      letter: fc.constantFrom("x", "|", "&", "\u{1f525}", "\u4e2d"),
      length: fc.integer({ min: 0, max: 700 }),
    });
    fc.assert(
      fc.property(sizes, ({ transitions, refusals, facts, diagnostics, letter, length }) => {
        const text = letter.repeat(length);
        const document = documentFrom(
          {
            ...digestOf(Array.from({ length: transitions }, (_, index) => named(index, { wayBack: text }))),
            diagnostics: Array.from({ length: diagnostics }, () => ({ severity: "warning", message: text })),
          },
          {
            facts: { ...documentFrom(digestOf([])).facts, lines: Array.from({ length: facts }, () => text) },
            refusals: Array.from({ length: refusals }, (_, index) => ({
              transitions: ["a"],
              text: `reason ${String(index)} ${text}`,
              after: [],
            })),
          },
        );
        const markdown = markdownOf(document);
        fits(markdown);
        if (refusals > 0) expect(markdown).toContain("- a: reason 0");
      }),
      { numRuns: 12 },
    );
  }, 60_000);
});

describe("what is secret", () => {
  const canaries = [
    "stderr-canary",
    "stdin-canary",
    "connection-canary",
    "create-canary",
    "env-canary",
    "stdout-canary",
  ];
  const secrets = {
    inputs: {
      connection: { host: "10.9.8.7", password: "connection-canary" },
      stdin: "stdin-canary",
      create: "create-canary",
      environment: { PASSWORD: "env-canary" },
    },
    outputs: { stderr: "stderr-canary", stdout: "stdout-canary", connection: "connection-canary" },
  };

  it("is in no comment, page or JSON: only named fields get there", () => {
    const document = documentFrom(digestOf([{ ...flip, secrets }]));
    const all = [markdownOf(document), htmlOf(document), JSON.stringify(document)];
    for (const canary of [...canaries, "keeper-canary", "10.9.8.7"])
      for (const text of all) expect(text).not.toContain(canary);
  });
});

describe("a page", () => {
  it("has any text as text, no script, and nothing from elsewhere", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom(...evil)), (text) => {
        const page = htmlOf(documentWith(text));
        const tags = new Set([...page.matchAll(/<\/?([^\s>]*)/g)].map(([, tag]) => tag));
        const own =
          "!doctype html head meta title style body h1 h2 p strong ul li table tr th td div pre footer".split(
            " ",
          );
        expect([...tags].filter((tag) => !own.includes(tag ?? ""))).toEqual([]);
        expect(page).not.toMatch(/(src|href|onclick)=/);
      }),
      { numRuns: 100 },
    );
    expect(htmlText(`<a b="c" d='e'>&`)).toBe("&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;");
  });
});
