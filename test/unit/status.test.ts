import { describe, expect, it } from "vitest";
import { Html, html, raw } from "../../tools/page/html.ts";
import { statusPage } from "../../tools/status/page.ts";
import { silentIn, statusOf } from "../../tools/status/status.ts";
import { textOf } from "../../tools/status/words.ts";
import { textOf as timelineText } from "../../tools/timeline/words.ts";
import { mermaidOf } from "../../tools/timeline/mermaid.ts";
import { timelinesIn } from "../../tools/timeline/timeline.ts";
import { canaries, exampleSources, exampleStatus, markup } from "../support/example-status.ts";

const good = exampleStatus({ trouble: false });
const bad = exampleStatus({ trouble: true });

describe("the status of a stack", () => {
  it("is good when every host answered, no transition is open and no host is lost", () => {
    expect(textOf(good).split("\n")).toEqual([
      "stack prod",
      "stack id 0123456789abcdef; 2026-11-30 19:00:00 UTC; state written 2026-11-30 18:01:00 UTC, 59 min before",
      "every host answered",
      "",
      "pair sounz: complete",
      "  production megadeth (sounz-switch, since 2026-11-30 18:00:05 UTC)",
      "  slayer: PostgreSQL is read-only, data copied 12 s ago",
      "  megadeth: PostgreSQL accepts writes",
      "",
      "last transitions",
      "  sounz-switch: production megadeth: 2026-11-30 18:00:00 UTC, 5.20 s, complete; writes are refused for 2.25 s",
      "  sounz-provision: 2026-11-30 17:45:00 UTC, 5.20 s, complete",
    ]);
    expect(silentIn(good)).toEqual([]);
  });

  it("says what is open and both ways on, what is lost, and what a killed update left", () => {
    const text = textOf(bad);
    for (const line of [
      "no answer: slayer",
      "sounz-switch is open; to run: check",
      "  go on: npx pulumi up",
      "  way back: set production to slayer, then run npx pulumi up",
      "sounz-switch-fence is half replaced",
      '1 operation(s) pending: docs/runbook.md, "killed"',
      "slayer is in changeover:unreachable or changeover:suspect, no step runs there",
      "pair sounz: incomplete: slayer is unreachable",
      "  production megadeth (sounz-switch, open)",
    ])
      expect(text.split("\n")).toContain(line);
    expect(silentIn(bad)).toEqual(["slayer"]);
  });

  it("of a stack whose hosts nobody asked is what the state says", () => {
    const asked = statusOf({ ...exampleSources({ trouble: true }), looked: undefined });
    expect(textOf(asked)).toContain("hosts were not asked; this is what the state says");
    expect(textOf(asked)).toContain("  hosts: slayer, megadeth");
    expect(silentIn(asked)).toEqual([]);
  });

  it("gives an entry its own transitions alone, and shows the latest few", () => {
    const sources = exampleSources({ trouble: false });
    const [entry] = sources.entries;
    if (!entry) throw new Error("no entry");
    const other = {
      ...entry,
      name: "other",
      marks: entry.marks.map((mark) => ({ ...mark, component: "other" })),
    };
    const { entries, latest } = statusOf({ ...sources, entries: [entry, other] });
    expect(entries.map(({ transitions }) => transitions.map(({ transition }) => transition))).toEqual([
      ["sounz-switch", "sounz-provision"],
      [],
    ]);
    expect(latest.map(({ transition }) => transition)).toEqual(["sounz-switch", "sounz-provision"]);
  });
});

describe("the page of a stack", () => {
  it("has what the text has, with the pictures, and needs nothing of another place", async () => {
    const page = await statusPage(bad);
    for (const words of [
      "<title>prod: status</title>",
      "stack id 0123456789abcdef; 2026-11-30 19:00:00 UTC",
      "sounz-switch is open; to run: check",
      "Way back: set production to slayer, then run npx pulumi up",
      "slayer is lost",
      "half replaced",
      "writes are refused for 2.25 s",
      "2 runs of sounz-switch",
    ])
      expect(page).toContain(words);
    expect(page.match(/<svg /g)).toHaveLength(2);
    // The name of a namespace is no place that is fetched.
    const places = page.replaceAll(/xmlns(:xlink)?="[^"]*"/g, "");
    expect(places).not.toMatch(/https?:|<script|url\(|@import|<iframe|<object|<form/);
    expect(await statusPage(good)).toContain("No transition is open, and no host is lost.");
  });

  it("shows what a host says as text", async () => {
    const page = await statusPage(bad);
    expect(page).not.toContain(markup);
    expect(page).toContain(
      "&lt;script&gt;window.canary = 1&lt;/script&gt;&lt;img src=x onerror=&quot;window.canary = 1&quot;&gt;&amp;&#39;&quot;",
    );
  });

  it("has no secret of the state, and neither has any other form", async () => {
    const sources = exampleSources({ trouble: true });
    const all = [
      await statusPage(bad),
      textOf(bad),
      ...timelinesIn(sources.state).flatMap((timeline) => [timelineText(timeline), mermaidOf(timeline)]),
    ].join("\n");
    expect(canaries.filter((canary) => JSON.stringify(sources).includes(canary))).toEqual(canaries);
    expect(canaries.filter((canary) => all.includes(canary))).toEqual([]);
  });
});

describe("a piece of a page", () => {
  it("escapes whatever is put into it, in text, attributes and lists", () => {
    const name = `<a href="x" id='y'>&\u0000\u0007`;
    const safe = "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;";
    expect(html`<p title="${name}">${[name, 7, undefined, [name]]}</p>`.text).toBe(
      `<p title="${safe}">${safe}7${safe}</p>`,
    );
  });

  it("keeps pieces as they are", () => {
    expect(html`<p>${html`<b>${"<"}</b>`}${raw("<hr />")}</p>`.text).toBe("<p><b>&lt;</b><hr /></p>");
    expect(new Html("x").text).toBe("x");
  });
});
