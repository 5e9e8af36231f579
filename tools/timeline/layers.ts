import { light } from "./palette.ts";
import { type Bar, operator, type Part, platform, type Timeline } from "./timeline.ts";
import { awayInWords, seconds } from "./words.ts";

export const plotWidth = 640;
const rowHeight = 19;
/** About, at the size of the labels. */
const letterWidth = 6.5;

interface PlacedBar {
  readonly row: number;
  readonly label: string;
  readonly colour: string;
  readonly began: number;
  readonly ended: number;
  /** The label stands before the bar, since there is no room behind it. */
  readonly before: boolean;
}

interface Lane {
  readonly host: string;
  readonly top: number;
  readonly bottom: number;
}

const colourOf = ({ host, pointOfNoReturn, bad }: Bar): string => {
  if (bad !== undefined) return light.alarm;
  if (pointOfNoReturn) return light.turn;
  return host === operator || host === platform ? light.elsewhere : light.host;
};

/** A lane for each host with a row for each of its bars, below the rows that words at the top need. */
function placed({ bars: all, began: start, ended: end }: Part, hosts: readonly string[], first: number) {
  const bars: PlacedBar[] = [];
  const lanes: Lane[] = [];
  for (const host of hosts) {
    const own = all.filter((bar) => bar.host === host);
    const top = first + bars.length;
    if (own.length > 0) lanes.push({ host, top, bottom: top + own.length });
    for (const [index, bar] of own.entries()) {
      const { step, began, ended } = bar;
      const label = host === platform ? step : `${step} ${seconds(ended - began)}`;
      const room = (1 - (ended - start) / Math.max(end - start, 1)) * plotWidth;
      const before = label.length * letterWidth > room;
      bars.push({ row: top + index, label, colour: colourOf(bar), began, ended, before });
    }
  }
  return { bars, lanes, rows: first + bars.length };
}

/** Whole seconds, minutes or hours on the scale of time, eight at most. */
function ticks(from: number, to: number): number[] {
  const sizes = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400];
  const size = (sizes.find((one) => (to - from) / (one * 1000) <= 8) ?? 86_400) * 1000;
  const first = Math.ceil(from / size);
  return Array.from({ length: Math.floor(to / size) - first + 1 }, (_, index) => (first + index) * size);
}

/** Where a part is drawn: Vega-Lite merges the scales of layers, so each of them is told all of the scale. */
class Frame {
  readonly from: number;
  readonly to: number;
  readonly #rows: number;

  constructor({ began, ended }: Part, rows: number) {
    const width = Math.max(ended - began, 1000);
    [this.from, this.to] = [began - width * 0.01, began + width * 1.02];
    this.#rows = rows;
  }

  x(field: string) {
    const { from, to } = this;
    return {
      field,
      type: "quantitative",
      scale: { domain: [from, to], nice: false, zero: false },
      axis: {
        values: ticks(from, to),
        labelExpr: `utcFormat(datum.value, "${to - from < 4000 ? "%H:%M:%S.%L" : "%H:%M:%S"}")`,
        title: null,
      },
    };
  }

  y(field: string) {
    const scale = { domain: [this.#rows, 0], nice: false, zero: false };
    return { field, type: "quantitative", scale, axis: null };
  }

  /** Words at a time, on the side of it that has more room. */
  words(text: string, at: number, row: number, color: string) {
    const right = at > (this.from + this.to) / 2;
    return {
      data: { values: [{ text, at, middle: row + 0.5 }] },
      mark: { type: "text", align: right ? "right" : "left", dx: right ? -4 : 4, color, fontWeight: 600 },
      encoding: { x: this.x("at"), y: this.y("middle"), text: { field: "text" } },
    };
  }
}

/** The time that users were away, over all lanes. */
function awayLayers(frame: Frame, timeline: Timeline, from: number, to: number): object[] {
  return [
    {
      data: { values: [{ from, to }] },
      mark: { type: "rect", color: light.away },
      encoding: { x: frame.x("from"), x2: { field: "to" }, y: { value: 0 }, y2: { value: "height" } },
    },
    frame.words(awayInWords(timeline), from, 0, light.alarm),
  ];
}

const turnLayers = (frame: Frame, at: number, row: number): object[] => [
  {
    data: { values: [{ at }] },
    mark: { type: "rule", color: light.turn, strokeWidth: 1.5, strokeDash: [5, 3] },
    encoding: { x: frame.x("at"), y: { value: 0 }, y2: { value: "height" } },
  },
  frame.words("point of no return", at, row, light.turn),
];

const laneLayer = (frame: Frame, lanes: readonly Lane[]): object => ({
  data: { values: lanes.filter((_, index) => index % 2 === 0) },
  mark: { type: "rect", color: light.lane },
  encoding: { x: { value: -110 }, x2: { value: "width" }, y: frame.y("top"), y2: { field: "bottom" } },
});

const nameLayer = (frame: Frame, lanes: readonly Lane[]): object => ({
  data: { values: lanes.map(({ host, top, bottom }) => ({ host, middle: (top + bottom) / 2 })) },
  mark: { type: "text", align: "left", dx: -104, color: light.ink, fontWeight: 600 },
  encoding: { x: { value: 0 }, y: frame.y("middle"), text: { field: "host" } },
});

const barLayer = (frame: Frame, bars: readonly PlacedBar[]): object => ({
  data: { values: bars.map((bar) => ({ ...bar, top: bar.row + 0.2, bottom: bar.row + 0.8 })) },
  mark: { type: "rect", cornerRadius: 2, stroke: null, minBandSize: 2 },
  encoding: {
    x: frame.x("began"),
    x2: { field: "ended" },
    y: frame.y("top"),
    y2: { field: "bottom" },
    color: { field: "colour", scale: null },
  },
});

const labelLayer = (frame: Frame, bars: readonly PlacedBar[], before: boolean): object => ({
  data: {
    values: bars.filter((bar) => bar.before === before).map((bar) => ({ ...bar, middle: bar.row + 0.5 })),
  },
  mark: { type: "text", align: before ? "right" : "left", dx: before ? -5 : 5, color: light.ink },
  encoding: { x: frame.x(before ? "began" : "ended"), y: frame.y("middle"), text: { field: "label" } },
});

/** One part of a timeline as layers of Vega-Lite, with its own scale of time: beside a long gap bars would have no room. */
export function layersOf(
  timeline: Timeline,
  part: Part,
): { readonly height: number; readonly layer: object[] } {
  const { away, pointOfNoReturn: turn, hosts } = timeline;
  const cut = away && away.from <= part.ended && (away.to ?? Infinity) >= part.began ? away : undefined;
  const turns = turn !== undefined && turn >= part.began && turn <= part.ended ? [turn] : [];
  const { bars, lanes, rows } = placed(part, hosts, (cut ? 1 : 0) + turns.length);
  const frame = new Frame(part, rows);
  const layer = [
    laneLayer(frame, lanes),
    ...(cut
      ? awayLayers(frame, timeline, Math.max(cut.from, frame.from), Math.min(cut.to ?? Infinity, frame.to))
      : []),
    ...turns.flatMap((at) => turnLayers(frame, at, cut ? 1 : 0)),
    barLayer(frame, bars),
    labelLayer(frame, bars, false),
    labelLayer(frame, bars, true),
    nameLayer(frame, lanes),
  ];
  return { height: rows * rowHeight, layer };
}
