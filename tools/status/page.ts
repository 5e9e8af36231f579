import { type Html, html } from "../page/html.ts";
import { pageOf } from "../page/shell.ts";
import { sectionOf } from "../timeline/page.ts";
import type { Run } from "../../transition/run-book.ts";
import type { Timeline } from "../timeline/timeline.ts";
import { goalInWords, moment } from "../timeline/words.ts";
import { type EntryStatus, silentIn, type Status } from "./status.ts";
import { askedInWords, goalsOf, openInWords, sourceOf } from "./words.ts";

const boxOf = (text: string, more: Html | string = ""): Html =>
  html`<div class="box">
    <p><strong>${text}</strong></p>
    ${more}
  </div>`;

/** What a person has to do something about; good news where there is nothing. */
function troubleOf(status: Status): Html {
  const { open, halfWritten, lost } = status;
  const silent = silentIn(status).filter((host) => !lost.includes(host));
  const boxes = [
    ...open.map((one) => {
      const { what, back } = openInWords(one);
      return boxOf(
        what,
        html`<p>To go on: <code>npx pulumi up</code></p>
          <p>Way back: ${back}</p>`,
      );
    }),
    ...halfWritten.map((line) => boxOf(line)),
    ...lost.map((host) =>
      boxOf(
        `${host} is lost: no step runs there`,
        html`<p>
          When it is mended, take it off <code>changeover:unreachable</code> or
          <code>changeover:suspect</code>, then
          <code>npx pulumi up</code>
        </p>`,
      ),
    ),
    ...(silent.length === 0 ? [] : [boxOf(`no answer: ${silent.join(", ")}`)]),
  ];
  return boxes.length > 0
    ? html`${boxes}`
    : html`<div class="box good"><p>No transition is open, and no host is lost.</p></div>`;
}

function hostRows({ hosts, said }: EntryStatus): Html {
  if (!said) return html`<p>Hosts: ${hosts.join(", ") || "not in the state of an older release"}</p>`;
  return html`<div class="wide">
    <table>
      <thead>
        <tr>
          <th>host</th>
          <th>now</th>
        </tr>
      </thead>
      <tbody>
        ${said.map(
          ({ host, words, answered }) =>
            html`<tr>
              <td class="name">${host}</td>
              <td class="${answered ? "" : "bad"}">${words}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

const entryOf = (entry: EntryStatus): Html =>
  html`<h3>${entry.noun} ${entry.name}</h3>
    ${entry.outcome === "complete" ? "" : html`<p class="bad">${entry.outcome}</p>`}
    ${goalsOf(entry).map((goal) => html`<p>${goal}</p>`)} ${hostRows(entry)}`;

const runRow = ({ began, seconds, awaySeconds, resumed, goal }: Run): Html =>
  html`<tr>
    <td class="name">${began === undefined ? "" : moment(Date.parse(began))}</td>
    <td>${goalInWords(goal)}</td>
    <td class="number">
      ${seconds === undefined ? "" : `${seconds.toFixed(1)} s`}${resumed ? ", resumed" : ""}
    </td>
    <td class="number">${awaySeconds === undefined ? "" : `${awaySeconds.toFixed(2)} s`}</td>
  </tr>`;

/** Runs before the one that is drawn; nothing where there are none. */
function runsOf({ transition, runs }: Timeline): Html | string {
  if (runs.length < 2) return "";
  return html`<details>
    <summary>${runs.length} runs of ${transition}</summary>
    <div class="wide">
      <table>
        <thead>
          <tr>
            <th>began</th>
            <th>goal</th>
            <th>took</th>
            <th>users away</th>
          </tr>
        </thead>
        <tbody>
          ${runs.map(runRow)}
        </tbody>
      </table>
    </div>
  </details>`;
}

/** How a stack stands, as one page that needs nothing besides itself. */
export async function statusPage(status: Status): Promise<string> {
  const sections: Html[] = [];
  for (const timeline of status.latest) sections.push(html`${await sectionOf(timeline)}${runsOf(timeline)}`);
  return pageOf(
    `${status.stack}: status`,
    html`<h1>Stack ${status.stack}</h1>
      <p class="muted">${sourceOf(status)}; ${askedInWords(status)}</p>
      ${troubleOf(status)}
      <h2>Systems</h2>
      ${status.entries.map(entryOf)}
      <h2>Last transitions</h2>
      ${sections.length > 0 ? sections : html`<p>The state has no times of transitions yet.</p>`}`,
  );
}
