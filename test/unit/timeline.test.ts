import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ExportedEntry } from "../../transition/open.ts";
import { mermaidOf } from "../../tools/timeline/mermaid.ts";
import { svgOf } from "../../tools/timeline/picture.ts";
import { barsOf, type Timeline, timelinesIn } from "../../tools/timeline/timeline.ts";
import { awayInWords, goalInWords, span, textOf } from "../../tools/timeline/words.ts";
import {
  gateOf,
  id,
  type Ran,
  start,
  stateOf,
  stepOf,
  switchSteps,
  told,
  measured,
  transitionOf,
} from "../support/timeline-state.ts";

const name = "sounz-switch";

function timelineOf(entries: readonly ExportedEntry[]): Timeline {
  const [timeline] = timelinesIn(stateOf(entries));
  if (!timeline) throw new Error("no timeline");
  return timeline;
}

const flip = (more: Partial<Record<string, unknown>> = {}) =>
  timelineOf(transitionOf(name, switchSteps, { inputs: { ...told.inputs, ...more } }));

/** Seconds after the preflight began. */
const after = (ms: number | undefined) => ((ms ?? NaN) - start) / 1000;

const shown = (timeline: Timeline) =>
  barsOf(timeline).map(({ step, host, began, ended }) => [step, host, after(began), after(ended)]);

describe("a timeline", () => {
  it("has who did what when, by the operator's clock whatever the host's clock is", () => {
    const timeline = flip();
    expect(shown(timeline)).toEqual([
      ["preflight", "operator", 0, 0.5],
      ["claim-slayer", "slayer", 1, 1.1],
      ["claim-megadeth", "megadeth", 1, 1.1],
      ["fence", "slayer", 2, 2.5],
      ["takeover", "megadeth", 3, 4.25],
      ["check", "operator", 5, 5.2],
    ]);
    expect(timeline).toMatchObject({ transition: name, id, goal: { production: "megadeth" }, parts: [{}] });
    expect(timeline.hosts).toEqual(["operator", "slayer", "megadeth"]);
    expect([...timeline.clocks]).toEqual([["megadeth", 5000]]);
    expect(timeline.open).toBeUndefined();
  });

  it("has the time that users were away: from the begin of one row to the end of another, over hosts", () => {
    const { away, pointOfNoReturn } = flip();
    expect([away?.notice, after(away?.from), after(away?.to)]).toEqual(["writes are refused", 2, 4.25]);
    expect(after(pointOfNoReturn)).toBe(3);
    expect(awayInWords(flip())).toBe("writes are refused for 2.25 s");
  });

  it("takes all hosts of a row that runs on many, and no row whose name only begins like it", () => {
    const steps: Ran[] = [
      { step: "stop-db", host: "db", after: 1, took: 1 },
      { step: "stop-app", host: "app", after: 2, took: 1 },
      { step: "stop-now-app", host: "app", after: 0, took: 1 },
      { step: "start-db", host: "db", after: 5, took: 1 },
      { step: "start-app", host: "app", after: 6, took: 2 },
      { step: "start-late-app", host: "app", after: 9, took: 2 },
    ];
    const users = { notice: "pages have status 503", from: "stop", to: "start" };
    const { away } = timelineOf(transitionOf("scalr-upgrade", steps, { inputs: { users } }));
    expect([after(away?.from), after(away?.to)]).toEqual([1, 8]);
  });

  it("of an older state has no time of users, and finds the point of no return in the sentence", () => {
    const { away, goal, pointOfNoReturn, runs } = timelineOf(transitionOf(name, switchSteps));
    expect({ away, goal, runs }).toEqual({ away: undefined, goal: {}, runs: [] });
    expect(after(pointOfNoReturn)).toBe(3);
  });

  it("takes rows for points of no return as the state lists them, and one for the bad case when it ran", () => {
    const turnsOf = (more: Partial<Record<string, unknown>>) =>
      barsOf(flip({ pointOfNoReturn: undefined, ...more })).flatMap(({ step, pointOfNoReturn }) =>
        pointOfNoReturn ? [step] : [],
      );
    const facts = { phase: "go", deadlineSeconds: 1 };
    expect(turnsOf({})).toEqual(["takeover"]);
    expect(turnsOf({ rows: { takeover: facts } }), "it says so, and has nothing to do").toEqual([]);
    expect(turnsOf({ rows: { takeover: { ...facts, conditional: true } } })).toEqual(["takeover"]);
    expect(turnsOf({ rows: { takeover: facts }, pointOfNoReturn: ["fence", "claim"] })).toEqual([
      "claim-slayer",
      "claim-megadeth",
      "fence",
    ]);
  });

  it("ends the time of users with a later transition, where no row of its own does", () => {
    const timeline = flip({ users: { notice: "the site is in maintenance", from: "fence" } });
    expect(timeline.away).toMatchObject({ from: start + 2000, endsLater: true });
    expect(awayInWords(timeline)).toBe(
      "the site is in maintenance from 2026-11-30 18:00:02 UTC, until a later transition",
    );
  });

  it("leaves out what ran for another goal, was not needed or was complete already", () => {
    const more: Ran[] = [
      { step: "follow", host: "slayer", after: 3, took: 1, id: "bbbbbbbbbbbbbbbb" },
      { step: "restore", host: "slayer", after: 3, took: 1, id: "not needed" },
      { step: "status", host: "slayer", after: 9000, took: 0.01, tail: " complete=yes" },
    ];
    const timeline = timelineOf(transitionOf(name, [...switchSteps, ...more], told));
    expect(barsOf(timeline).map(({ step }) => step)).toEqual(barsOf(flip()).map(({ step }) => step));
    expect(timeline.open).toEqual(["follow"]);
    expect(timeline.parts).toHaveLength(1);
  });

  it("that is open says since when users are away, and the way back", () => {
    const steps = switchSteps.filter(({ step }) => !["takeover", "check"].includes(step));
    const timeline = timelineOf(transitionOf(name, steps, told, []));
    expect(timeline.away).toEqual({ notice: "writes are refused", from: start + 2000 });
    expect(timeline.open).toEqual([]);
    const text = textOf(timeline);
    expect(text).toContain("users: writes are refused since 2026-11-30 18:00:02 UTC, not ended yet");
    expect(text).toContain("open, to run: steps that are not in the state yet");
    expect(text).toContain("way back: set production to slayer, then run npx pulumi up");
  });

  it("that stopped and went on has parts with the gap between them", () => {
    const late = switchSteps.map((ran) =>
      ["takeover", "check"].includes(ran.step) ? { ...ran, after: ran.after + 11_520 } : ran,
    );
    const timeline = timelineOf(transitionOf(name, late, told));
    expect(timeline.parts.map(({ bars, gap }) => [bars.length, gap])).toEqual([
      [4, undefined],
      [2, 11_520_500],
    ]);
    const text = textOf(timeline);
    expect(text).toContain("-- nothing ran for 3 h 12 min; then an update went on");
    expect(text).toContain("4.70 s in 2 parts over 3 h 12 min, complete");
    expect(mermaidOf(timeline).match(/```mermaid/g)).toHaveLength(2);
  });

  it("names steps whose receipt has no times, and hosts that were left out", () => {
    const old = stepOf(name, { step: "follow", host: "slayer", after: 1, took: 1 });
    const secret = stepOf(name, { step: "status", host: "slayer", after: 1, took: 1 });
    const lost: ExportedEntry = {
      ...gateOf(name, "skipped-slayer"),
      inputs: { triggers: [{ host: "slayer", mode: "skipped: unreachable" }] },
    };
    const timeline = timelineOf(
      transitionOf(name, switchSteps, told, [
        { ...old, outputs: { stdout: "sounz slayer streams from megadeth 0.66" } },
        { ...secret, outputs: { stdout: { ciphertext: "canary" } } },
        lost,
        gateOf(name, "done-gate"),
      ]),
    );
    expect(timeline.untimed).toEqual(["follow", "status"]);
    expect(timeline.skipped).toEqual(["slayer skipped: unreachable"]);
    expect(textOf(timeline)).toContain("no times in the receipt, so not shown: follow, status");
  });

  it("shows what a platform did when the state took it up, and no move of a run before", () => {
    const move = (step: string, seconds: number): ExportedEntry => ({
      ...gateOf(name, step),
      type: "aws:ec2/eipAssociation:EipAssociation",
      modified: new Date(start + seconds * 1000).toISOString(),
    });
    const entries = transitionOf(name, switchSteps, told, [
      move("move-address", 4.5),
      move("isolate", -60),
      { ...gateOf(name, "done-gate"), modified: new Date(start + 9000).toISOString() },
    ]);
    expect(shown(timelineOf(entries)).find(([, host]) => host === "platform")).toEqual([
      "move-address",
      "platform",
      4.5,
      4.5,
    ]);
    expect(shown(timelineOf(entries))).toHaveLength(switchSteps.length + 1);
  });

  it("of the transition that ran last comes first, and one without times last", () => {
    const earlier = switchSteps.map((ran) => ({ ...ran, after: ran.after - 1000 }));
    const state = stateOf(
      transitionOf("old-switch", []),
      transitionOf("a-switch", earlier),
      transitionOf("b-switch", switchSteps),
    );
    expect(timelinesIn(state).map(({ transition }) => transition)).toEqual([
      "b-switch",
      "a-switch",
      "old-switch",
    ]);
    expect(timelinesIn({})).toEqual([]);
  });

  it("remembers runs, as far as the state tells them", () => {
    const run = {
      id,
      began: "2026-11-30T18:00:00Z",
      seconds: 12.7,
      awaySeconds: 2.25,
      goal: { production: "a" },
    };
    const remembered = [run, { id, awaySeconds: "x", resumed: true, first: true }, { id: 7 }, null];
    const { runs } = timelineOf([...transitionOf(name, switchSteps, told), measured({ [name]: remembered })]);
    expect(runs).toEqual([
      { ...run, steps: {} },
      { id, goal: {}, steps: {}, resumed: true },
    ]);
  });
});

describe("the text of a timeline", () => {
  it("is a table in the order of time", () => {
    expect(textOf(flip()).split("\n")).toEqual([
      "sounz-switch: production megadeth",
      "2026-11-30 18:00:00 UTC, 5.20 s, complete",
      "users: writes are refused for 2.25 s (18:00:02.000 to 18:00:04.250)",
      "",
      "time (UTC)        after      took  host      step            what became true",
      "18:00:00.000     0.00 s    0.50 s  operator  preflight       preflight is so",
      "18:00:01.000     1.00 s    0.10 s  slayer    claim-slayer    claim-slayer is so",
      "18:00:01.000     1.00 s    0.10 s  megadeth  claim-megadeth  claim-megadeth is so",
      "18:00:02.000     2.00 s    0.50 s  slayer    fence           fence is so",
      "18:00:03.000     3.00 s    1.25 s  megadeth  takeover        new production accepts writes (point of no return)",
      "18:00:05.000     5.00 s    0.20 s  operator  check           check is so",
      "",
      "times are corrected by what the preflight saw of clocks: megadeth is 5.00 s ahead",
    ]);
  });

  it("has of a goal of many parts the short ones", () => {
    expect(goalInWords({})).toBe("");
    expect(goalInWords({ production: "a", lost: "b" })).toBe("production a, lost b");
    const logs = "/var/log/sounz/".repeat(9);
    expect(goalInWords({ "both_carry.logs": logs, primary: "slayer", secondary: "megadeth" })).toBe(
      "primary slayer, secondary megadeth, 1 more",
    );
    expect(goalInWords({ logs })).toBe("1 more");
  });

  it.each([
    [0, "0 s"],
    [42_000, "42 s"],
    [192_000, "3 min 12 s"],
    [11_520_000, "3 h 12 min"],
    [7_200_000, "2 h"],
    [187_200_000, "2 d 4 h"],
  ])("says %d ms as %s", (ms, words) => {
    expect(span(ms)).toBe(words);
  });
});

describe("the picture of a timeline", () => {
  it("has the goal, a lane for each host, each bar with its seconds, the outage and the point of no return", async () => {
    const svg = await svgOf(flip());
    for (const words of [
      "sounz-switch: production megadeth",
      "writes are refused for 2.25 s",
      "point of no return",
      ...["operator", "slayer", "megadeth"],
      ...["fence 0.50 s", "takeover 1.25 s", "18:00:02"],
    ])
      expect(svg).toContain(`>${words}</text>`);
    expect(svg).toMatch(
      /^<svg [^>]* role="img" aria-label="sounz-switch: production megadeth; writes [^"]*"/,
    );
    expect(svg).not.toMatch(/<script|<image|<foreignObject|href=|url\(|NaN|undefined/);
  });

  it("draws each part with a scale of its own, so that bars stay visible beside a long gap", async () => {
    const late = switchSteps.map((ran) => (ran.step === "check" ? { ...ran, after: 86_400 } : ran));
    const svg = await svgOf(timelineOf(transitionOf(name, late, told)));
    expect(svg).toContain(">nothing ran for 23 h 59 min; then an update went on</text>");
    expect(svg).toContain(">check 0.20 s</text>");
  });

  it("is one of a state that says nothing but receipts, and there is none without", async () => {
    const svg = await svgOf(timelineOf(transitionOf(name, switchSteps)));
    expect(svg).toContain(">sounz-switch</text>");
    expect(svg).not.toContain("writes are refused");
    const none = timelineOf(transitionOf(name, []));
    await expect(svgOf(none)).rejects.toThrow("no step with times has run");
    expect(() => mermaidOf(none)).toThrow("no step with times has run");
  });

  it("is in the documents as the program draws it, of a real run", async () => {
    const file = join(import.meta.dirname, "..", "..", "docs", "pictures", "switch.svg");
    const [committed, drawn] = [readFileSync(file, "utf8"), await svgOf(flip())];
    const style = /<style>.*?<\/style>/s;
    expect(style.exec(committed)?.[0], "draw it again as CONTRIBUTING.md says").toBe(style.exec(drawn)?.[0]);
    expect(committed).toMatch(
      /aria-label="sounz-switch: production \w+; the service address does not answer for/,
    );
    expect(committed.length).toBeLessThan(30_000);
  });

  it("escapes what it shows", async () => {
    const svg = await svgOf(flip({ goal: { production: `<b>"&$1'` } }));
    expect(svg).not.toContain("<b>");
    expect(svg).toContain("&lt;b&gt;&quot;&amp;$1&#39;");
  });
});
