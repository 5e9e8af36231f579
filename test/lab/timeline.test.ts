import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Bar, barsOf, type Timeline, timelinesIn } from "../../tools/timeline/timeline.ts";
import type { Deployment } from "../../tools/stack.ts";
import { powerCut, whyNoLab } from "../../tools/workshop/lab/lab.ts";
import { Writer } from "../../tools/workshop/writer.ts";
import { Browser, whyNoBrowser } from "../support/browser.ts";
import { Estate, scratch } from "../support/estate.ts";
import { ok } from "../support/runs.ts";

const minute = 60_000;

/** A real flip under a writer: what its receipts say must be what happened. */
describe.skipIf(whyNoLab() !== undefined)("the timeline of a real switch", () => {
  let estate: Estate;
  let flipped: Timeline | undefined;
  /** When the update ran, in ms since 1970, and for how long the writer was refused. */
  let update = { began: 0, ended: 0, outageMs: 0 };
  const folder = scratch("changeover-timeline-");

  beforeAll(async () => {
    estate = await Estate.start();
    ok(await estate.up());
    const writer = new Writer(await estate.database());
    await writer.start();
    estate.flip("megadeth");
    const mark = writer.mark();
    const began = Date.now();
    ok(await estate.up());
    const ended = Date.now();
    await new Promise((resolve) => setTimeout(resolve, 500));
    update = { began, ended, outageMs: writer.since(mark).outageMs };
    await writer.stop();
    const { output } = await estate.project.pulumi(["stack", "export"]);
    [flipped] = timelinesIn((JSON.parse(output) as { deployment: Deployment }).deployment);
  }, 10 * minute);

  afterAll(async () => {
    folder.remove();
    await estate.stop();
  }, minute);

  const bar = (step: string): Bar => {
    const found = flipped && barsOf(flipped).find((one) => one.step === step);
    if (!found) throw new Error(`no bar ${step}`);
    return found;
  };

  it("is in the update, has every step once, and no step before the one that it waits for", () => {
    expect(flipped).toMatchObject({ transition: "sounz-switch", open: undefined, untimed: [], parts: [{}] });
    for (const { step, began, ended } of flipped ? barsOf(flipped) : []) {
      expect(began, step).toBeGreaterThanOrEqual(update.began);
      expect(ended, step).toBeLessThanOrEqual(update.ended);
    }
    expect(new Set(flipped?.hosts)).toEqual(new Set(["operator", "megadeth", "slayer"]));
    const order = [
      "preflight",
      "claim-slayer",
      "ready",
      "fence",
      "takeover",
      "follow",
      "check",
      "done-slayer",
    ];
    for (const [at, step] of order.slice(1).entries())
      expect(bar(step).began, step).toBeGreaterThanOrEqual(bar(order[at] ?? "").ended);
    // These machines have one clock with the operator's, so nothing may be corrected.
    expect([...(flipped?.clocks ?? [])]).toEqual([]);
    expect(flipped?.pointOfNoReturn).toBe(bar("takeover").began);
  });

  it("has the time that a client was refused between the begin of the fence and the end of the takeover", () => {
    const away = bar("takeover").ended - bar("fence").began;
    expect(update.outageMs).toBeGreaterThan(100);
    expect(update.outageMs).toBeLessThan(away + 200);
    expect(update.outageMs).toBeGreaterThan(bar("takeover").began - bar("fence").ended);
  });

  it("is what `npm run timeline` prints and draws", async () => {
    const svg = join(folder.path, "switch.svg");
    const drawn = await estate.tool("timeline", "--svg", svg);
    expect(drawn).toEqual({ code: 0, output: "" });
    expect(readFileSync(svg, "utf8")).toMatch(/>takeover \d\.\d\d s<\/text>/);
    const text = await estate.tool("timeline");
    expect(text.output).toMatch(/^\d\d:\d\d:\d\d\.\d{3} .* slayer +fence +old production rejects writes/m);
    expect(text.output).toContain("others, with --transition: sounz-provision");
    const other = await estate.tool("timeline", "--transition", "sounz-provision", "--mermaid");
    expect(other.output).toMatch(/^```mermaid\ngantt\n[^]* base-copy [^]*```\n$/);
    expect(await estate.tool("timeline", "--transition", "x")).toMatchObject({ code: 1 });
  });

  it("is on the page of the stack, with what hosts say now, and a host that is dead", async () => {
    const page = join(folder.path, "status.html");
    const { output: secret } = await estate.project.pulumi(["stack", "output", "--json", "--show-secrets"]);
    const { ownerPasswords } = JSON.parse(secret) as { ownerPasswords: Record<string, string> };
    expect(await estate.tool("status", "--html", page)).toEqual({ code: 0, output: "" });
    const text = readFileSync(page, "utf8");
    expect(text).toContain("standby_as_production, PostgreSQL accepts writes, holds the service address");
    expect(text).toContain("No transition is open, and no host is lost.");
    expect(text).not.toContain(ownerPasswords.sounz);
    expect(text).not.toContain("PRIVATE KEY");
    if (whyNoBrowser() === undefined) {
      const browser = await Browser.start();
      const { said, dom } = await browser
        .look(pathToFileURL(page).href, { width: 1280, height: 900 })
        .finally(() => browser.stop());
      expect(said).toEqual([]);
      expect(dom).toContain(">point of no return</text>");
    }

    await powerCut(estate.lab, "slayer");
    const dead = await estate.tool("status");
    expect(dead.code).toBe(75);
    expect(dead.output).toContain("no answer: slayer");
    expect(dead.output).toMatch(/^ {2}megadeth: standby_as_production/m);
    const quiet = await estate.tool("status", "--no-dial");
    expect(quiet.code).toBe(0);
    expect(quiet.output).toContain("hosts were not asked; this is what the state says");
  });
});
