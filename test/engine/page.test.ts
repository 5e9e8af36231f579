import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { statusPage } from "../../tools/status/page.ts";
import { mermaidOf } from "../../tools/timeline/mermaid.ts";
import { type Timeline, timelinesIn } from "../../tools/timeline/timeline.ts";
import { Browser, whyNoBrowser } from "../support/browser.ts";
import { scratch } from "../support/estate.ts";
import { exampleStatus } from "../support/example-status.ts";
import { stateOf, switchSteps, told, transitionOf } from "../support/timeline-state.ts";

const desktop = { width: 1280, height: 900 };
const phone = { width: 390, height: 844 };

describe.skipIf(whyNoBrowser() !== undefined)("in a browser", () => {
  let browser: Browser;
  const folder = scratch("changeover-page-");
  // A person who changes the page looks at the pictures: CHANGEOVER_PICTURES=<folder> keeps them.
  const pictures = process.env.CHANGEOVER_PICTURES ?? join(folder.path, "pictures");

  beforeAll(async () => {
    mkdirSync(pictures, { recursive: true });
    browser = await Browser.start();
  });
  afterAll(async () => {
    await browser.stop();
    folder.remove();
  });

  describe("the page of a stack", () => {
    let url: string;
    beforeAll(async () => {
      const file = join(folder.path, "status.html");
      writeFileSync(file, await statusPage(exampleStatus({ trouble: true })));
      url = pathToFileURL(file).href;
    });

    it.each([
      ["desktop", desktop],
      ["phone", phone],
      ["desktop-dark", { ...desktop, dark: true }],
    ] as const)(
      "has all that it must on a %s, asks for nothing and is not complained about",
      async (name, window) => {
        const picture = join(pictures, `status-${name}.png`);
        const { dom, said, asked } = await browser.look(url, window, picture);
        expect(said).toEqual([]);
        expect(asked.filter((one) => !one.startsWith("data:"))).toEqual([url]);
        const wanted = [
          "Stack prod",
          "pair sounz",
          "PostgreSQL accepts writes",
          "writes are refused for 2.25 s",
        ];
        expect(wanted.filter((words) => !dom.includes(words))).toEqual([]);
        expect(statSync(picture).size).toBeGreaterThan(20_000);

        const fits = "document.documentElement.scrollWidth <= window.innerWidth";
        expect(await browser.run<boolean>(fits), "only tables and pictures scroll sideways").toBe(true);
        const bars = await browser.run<number>(
          `[...document.querySelectorAll("svg.timeline")].map((svg) => svg.getBoundingClientRect().height > 100).length`,
        );
        expect(bars).toBe(2);
        const [paper, label] = await browser.run<[string, string]>(
          `[document.body, document.querySelector("svg text")].map((one, at) => getComputedStyle(one)[at ? "fill" : "backgroundColor"])`,
        );
        expect([paper, label]).toEqual(
          "dark" in window
            ? ["rgb(13, 17, 23)", "rgb(145, 152, 161)"]
            : ["rgb(255, 255, 255)", "rgb(89, 99, 110)"],
        );
      },
    );

    it("runs nothing that a host said", async () => {
      const { dom } = await browser.look(url, desktop);
      expect(
        await browser.run<string>(
          "typeof window.canary + document.querySelectorAll('script,img,iframe').length",
        ),
      ).toBe("undefined0");
      expect(dom).toContain("&lt;script&gt;");
    });
  });

  describe("Mermaid of a timeline", () => {
    const source = readFileSync(createRequire(import.meta.url).resolve("@mermaid-js/tiny"), "utf8");
    const odd = { ...told, inputs: { ...told.inputs, goal: { production: `a:b #c; "d" %%{e}` } } };
    const late = switchSteps.map((ran) => (ran.step === "check" ? { ...ran, after: 90_000 } : ran));
    const timelines: readonly (readonly [string, Timeline | undefined])[] = [
      ["a switch", timelinesIn(stateOf(transitionOf("sounz-switch", switchSteps, told)))[0]],
      [
        "one of a state of an older release",
        timelinesIn(stateOf(transitionOf("sounz-switch", switchSteps)))[0],
      ],
      ["one that stopped and went on", timelinesIn(stateOf(transitionOf("sounz-switch", late, told)))[0]],
      ["one with an odd goal", timelinesIn(stateOf(transitionOf("sounz-switch", switchSteps, odd)))[0]],
    ];

    it.each(timelines)("of %s is drawn by Mermaid", async (_, timeline) => {
      if (!timeline) throw new Error("no timeline");
      const diagrams = [...mermaidOf(timeline).matchAll(/```mermaid\n([^`]*)\n```/g)].map(([, text]) => text);
      expect(diagrams).toHaveLength(timeline.parts.length);
      await browser.look("about:blank", desktop);
      await browser.run(source);
      for (const text of diagrams) {
        const drawn = await browser.run<{ type: string; svg: string }>(`(async () => {
          mermaid.initialize({ startOnLoad: false });
          const { diagramType: type } = await mermaid.parse(${JSON.stringify(text)});
          return { type, svg: (await mermaid.render("it", ${JSON.stringify(text)})).svg };
        })()`);
        expect(drawn.type).toBe("gantt");
        const names = [...(text ?? "").matchAll(/^ {4}([^:\n]+) :\S/gm)].map(([, name]) => name ?? "");
        expect(names.length).toBeGreaterThan(0);
        expect(names.filter((name) => !drawn.svg.includes(`>${name} </text>`))).toEqual([]);
        expect(/Invalid|NaN/.exec(drawn.svg)).toBeNull();
      }
    });

    it("is refused by Mermaid when it is none", async () => {
      await browser.look("about:blank", desktop);
      await browser.run(source);
      await expect(browser.run(`mermaid.parse("gantt\\n  nonsense\\n  x")`)).rejects.toThrow(
        /[Pp]arse error/,
      );
    });
  });
});
