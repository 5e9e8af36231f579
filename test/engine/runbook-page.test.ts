import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunBookDocument } from "../../tools/runbook/document.ts";
import { htmlOf } from "../../tools/runbook/html.ts";
import { flowchart } from "../../tools/runbook/mermaid.ts";
import { Browser, whyNoBrowser } from "../support/browser.ts";
import { digestOf, documentFrom, type FakeTransition, flip } from "../support/digest.ts";
import { scratch } from "../support/estate.ts";

const desktop = { width: 1280, height: 900 };

const named = (name: string, more: Partial<FakeTransition> = {}): FakeTransition => ({
  ...flip,
  name,
  ...more,
});
const evil = `"]; click t0p0 "javascript:window.canary=1" %%{init: {}}%% end <script>window.canary=1</script> #quot; \``;
const many = Array.from({ length: 12 }, (_, index) =>
  named(`t-${String(index)}`, { after: index === 0 ? [] : [`t-${String(index - 1)}`] }),
);

describe.skipIf(whyNoBrowser() !== undefined)("a run-book in a browser", () => {
  let browser: Browser;
  const folder = scratch("changeover-runbook-");
  beforeAll(async () => {
    browser = await Browser.start();
  });
  afterAll(async () => {
    await browser.stop();
    folder.remove();
  });

  const diagrams: readonly (readonly [string, RunBookDocument, readonly string[]])[] = [
    ["a flip", documentFrom(digestOf([flip])), ["sounz-switch", "takeover: megadeth"]],
    [
      "two transitions, one after the other",
      documentFrom(digestOf([named("b", { after: ["a"] }), named("a")])),
      ["fence: slayer"],
    ],
    ["many transitions", documentFrom(digestOf(many)), ["t-11"]],
    [
      "names and hosts of any kind",
      documentFrom(digestOf([named("end", { rows: flip.rows.map((row) => ({ ...row, host: evil })) })])),
      ["end"],
    ],
  ];

  it.each(diagrams)("has a diagram of %s that Mermaid draws", async (_, document, words) => {
    const text = JSON.stringify(flowchart(document).join("\n"));
    await browser.look("about:blank", desktop);
    await browser.run(readFileSync(createRequire(import.meta.url).resolve("@mermaid-js/tiny"), "utf8"));
    const drawn = await browser.run<{ type: string; svg: string }>(`(async () => {
      mermaid.initialize({ startOnLoad: false });
      const { diagramType: type } = await mermaid.parse(${text});
      return { type, svg: (await mermaid.render("it", ${text})).svg };
    })()`);
    expect(drawn.type).toMatch(/^flowchart/);
    expect(words.filter((word) => !drawn.svg.includes(word))).toEqual([]);
    expect(await browser.run("typeof window.canary")).toBe("undefined");
  });

  it.each([
    ["day", desktop],
    ["night", { ...desktop, dark: true }],
    ["phone", { width: 390, height: 844 }],
  ])("is a page that asks for nothing, runs nothing and fits: %s", async (name, window) => {
    const file = join(folder.path, "runbook.html");
    const hostile = named("sounz-switch", { wayBack: evil, needs: [evil], goal: { production: evil } });
    writeFileSync(file, htmlOf(documentFrom(digestOf([hostile]))));
    const url = pathToFileURL(file).href;
    const { said, asked } = await browser.look(url, window, join(folder.path, `${name}.png`));
    expect(said).toEqual([]);
    expect(asked).toEqual([url]);
    expect(await browser.run("typeof window.canary + document.querySelectorAll('script,img').length")).toBe(
      "undefined0",
    );
    expect(await browser.run("document.documentElement.scrollWidth <= window.innerWidth")).toBe(true);
    expect(await browser.run("matchMedia('(prefers-color-scheme: dark)').matches")).toBe(name === "night");
  });
});
