import { type Html, html, raw } from "../page/html.ts";
import { svgOf } from "./picture.ts";
import { type Bar, beginOf, platform, type Timeline } from "./timeline.ts";
import { awayInWords, clock, gapInWords, notesOf, seconds, titleOf, whenInWords } from "./words.ts";

function rowOf(bar: Bar, begin: number): Html {
  const { began, ended, host, step, says, pointOfNoReturn, bad } = bar;
  return html`<tr>
    <td class="number">${clock(began)}</td>
    <td class="number">${seconds(began - begin)}</td>
    <td class="number">${host === platform ? "" : seconds(ended - began)}</td>
    <td class="name">${host}</td>
    <td class="name">${step}</td>
    <td>
      ${says}${pointOfNoReturn ? html` <strong>(point of no return)</strong>` : ""}${
        bad === undefined ? "" : html` <span class="bad">${bad}</span>`
      }
    </td>
  </tr>`;
}

/** Who did what when, as a table. */
const tableOf = (timeline: Timeline): Html =>
  html`<div class="wide">
    <table>
      <thead>
        <tr>
          <th>time (UTC)</th>
          <th>after</th>
          <th>took</th>
          <th>host</th>
          <th>step</th>
          <th>what became true</th>
        </tr>
      </thead>
      <tbody>
        ${timeline.parts.map(({ bars, gap }) => [
          gap === undefined
            ? ""
            : html`<tr>
                <td colspan="6" class="muted">${gapInWords(gap)}</td>
              </tr>`,
          ...bars.map((bar) => rowOf(bar, beginOf(timeline))),
        ])}
      </tbody>
    </table>
  </div>`;

/** The picture of a timeline with its table behind it, which opens without a script. */
export async function sectionOf(timeline: Timeline): Promise<Html> {
  const users = awayInWords(timeline);
  return html`<h3>${titleOf(timeline)}</h3>
    <p>${whenInWords(timeline)}${users === "" ? "" : `; users: ${users}`}</p>
    ${
      timeline.parts.length === 0
        ? ""
        : html`<div class="wide">${raw(await svgOf(timeline, false))}</div>
            <details>
              <summary>every step</summary>
              ${tableOf(timeline)}
            </details>`
    }
    ${notesOf(timeline).map((note) => html`<p class="muted">${note}</p>`)}`;
}
