import { type Bar, type Part, platform, requireTimes, type Timeline } from "./timeline.ts";
import { awayInWords, gapInWords, seconds, titleOf } from "./words.ts";

/** Mermaid ends a name at these, and reads some of them as syntax. */
const plain = (text: string): string =>
  text
    .replace(/[:;#,%{}<>"`\n]/g, " ")
    .replace(/ +/g, " ")
    .trim();

/** Mermaid reads and shows times in the zone of the reader's browser: written without a zone they stay what they are in UTC. */
const at = (ms: number): string => new Date(ms).toISOString().slice(0, 23);

const task = (name: string, tags: readonly string[], from: number, to: number): string =>
  `    ${plain(name)} :${[...tags, at(from), at(Math.max(to, from + 1))].join(", ")}`;

function bar({ step, host, began, ended, pointOfNoReturn, bad }: Bar): string {
  const took = host === platform ? "" : ` ${seconds(ended - began)}`;
  const words = [pointOfNoReturn ? ", point of no return" : "", bad ? ", bad" : ""].join("");
  return task(
    `${step}${took}${words.replaceAll(",", " -")}`,
    pointOfNoReturn || bad ? ["crit"] : [],
    began,
    ended,
  );
}

/** One diagram a part: in one alone a long gap would leave no room for the bars. */
function diagram(timeline: Timeline, part: Part, index: number): string {
  const { away, hosts, parts } = timeline;
  const number = parts.length > 1 ? `, part ${String(index + 1)} of ${String(parts.length)}` : "";
  const overlaps = away && away.from < part.ended && (away.to ?? Infinity) > part.began;
  return [
    "gantt",
    `    title ${plain(`${titleOf(timeline)}${number} (UTC)`.replace(":", " -"))}`,
    "    dateFormat YYYY-MM-DDTHH:mm:ss.SSS",
    "    axisFormat %H:%M:%S",
    // By itself Mermaid puts a mark at each half second, which the format shows twice.
    ...(part.ended - part.began < 10_000 ? ["    tickInterval 1second"] : []),
    "    todayMarker off",
    ...(overlaps
      ? [
          "    section users",
          task(
            awayInWords(timeline),
            ["active"],
            Math.max(away.from, part.began),
            Math.min(away.to ?? Infinity, part.ended),
          ),
        ]
      : []),
    ...hosts.flatMap((host) => {
      const own = part.bars.filter((one) => one.host === host);
      return own.length === 0 ? [] : [`    section ${plain(host)}`, ...own.map(bar)];
    }),
  ].join("\n");
}

/**
 * A timeline as Mermaid in Markdown, for a pull request: a `gantt` for each part, a lane for each host.
 *
 * @throws when the timeline has no step with times.
 */
export function mermaidOf(timeline: Timeline): string {
  requireTimes(timeline);
  return timeline.parts
    .map((part, index) => {
      const before = part.gap === undefined ? "" : `${gapInWords(part.gap)}:\n\n`;
      return `${before}\`\`\`mermaid\n${diagram(timeline, part, index)}\n\`\`\``;
    })
    .join("\n\n");
}
