import type { TopLevelSpec } from "vega-lite";
import { htmlText } from "../page/html.ts";
import { layersOf, plotWidth } from "./layers.ts";
import { darkStyle, light } from "./palette.ts";
import { type Part, requireTimes, type Timeline } from "./timeline.ts";
import { awayInWords, gapInWords, titleOf, tookInWords } from "./words.ts";

const view = (timeline: Timeline, part: Part): object => ({
  width: plotWidth,
  ...(part.gap === undefined
    ? {}
    : { title: { text: gapInWords(part.gap), fontSize: 12, color: light.muted } }),
  ...layersOf(timeline, part),
});

const config = {
  aria: false,
  font: "system-ui, sans-serif",
  view: { stroke: null },
  title: {
    anchor: "start",
    frame: "group",
    color: light.ink,
    subtitleColor: light.muted,
    fontSize: 15,
    subtitlePadding: 4,
    offset: 10,
  },
  text: { fontSize: 11.5, baseline: "middle" },
  axis: {
    labelColor: light.muted,
    gridColor: light.grid,
    tickColor: light.grid,
    domainColor: light.grid,
    labelFontSize: 11,
  },
};

/** The picture of a timeline, as Vega-Lite describes it. Its own types of nested layers are wider than what is made here. */
const specOf = (timeline: Timeline, alone: boolean): TopLevelSpec =>
  ({
    ...(alone ? { title: { text: titleOf(timeline), subtitle: tookInWords(timeline) } } : {}),
    background: light.paper,
    padding: 12,
    spacing: 18,
    vconcat: timeline.parts.map((part) => view(timeline, part)),
    config,
  }) as unknown as TopLevelSpec;

/**
 * The picture of a timeline as SVG text, complete in itself: no script, no font, nothing of another place.
 *
 * @param alone with the title, for a file; a page has it above. @throws when the timeline has no step with times.
 */
export async function svgOf(timeline: Timeline, alone = true): Promise<string> {
  requireTimes(timeline);
  // Both take a while to load, and few commands draw.
  const [{ compile }, vega] = await Promise.all([import("vega-lite"), import("vega")]);
  const view = new vega.View(vega.parse(compile(specOf(timeline, alone)).spec), { renderer: "none" });
  const svg = await view.toSVG();
  view.finalize();
  const said = htmlText([titleOf(timeline), awayInWords(timeline)].filter(Boolean).join("; "));
  return svg.replace(
    / class="marks"([^>]*)>/,
    (_, rest: string) => ` class="timeline" role="img" aria-label="${said}"${rest}>${darkStyle}`,
  );
}
