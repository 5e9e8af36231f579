import { counted } from "../../transition/run-book.ts";
import { type Html, html, raw } from "../page/html.ts";
import type { DocumentTransition, RunBookDocument } from "./document.ts";
import {
  changeOf,
  footerOf,
  howLongOf,
  linesOf,
  needsOf,
  noticeOf,
  otherLines,
  phaseTime,
  refusedLine,
  returnsOf,
  titleOf,
} from "./words.ts";

const nothing = html``;

/** One page without a script and without anything from elsewhere, for a screen in the day or at night, and for paper. */
export function htmlOf(document: RunBookDocument): string {
  const { transitions, facts, diagnostics } = document;
  const refused = refusedLine(document);
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />
        <title>${titleOf(document)}</title>
        <style>
          ${raw(style)}
        </style>
      </head>
      <body>
        <h1>${titleOf(document)}</h1>
        ${refused === undefined ? nothing : html`<p class="${document.verdict}"><strong>${refused}</strong></p>`}
        ${refusals(document)} ${transitions.length === 0 ? nothing : table(transitions)}
        ${list(otherLines(document))}
        ${list([...new Set(transitions.flatMap(({ skipped }) => skipped))].map((line) => `skipped: ${line}`))}
        ${
          document.verdict === "error"
            ? nothing
            : html`<h2>Hosts</h2>
                <p>${facts.says}</p>
                ${list(facts.lines)}`
        }
        ${diagnostics.map(({ severity, text }) => html`<pre>${severity}: ${text}</pre>`)}
        ${transitions.map(steps)}
        <footer>${footerOf(document).join(" · ")}</footer>
      </body>
    </html> `.text;
}

const list = (lines: readonly string[]): Html =>
  lines.length === 0
    ? nothing
    : html`<ul>
        ${lines.map((line) => html`<li>${line}</li>`)}
      </ul>`;

const refusals = ({ refusals: all }: RunBookDocument): Html =>
  list(
    all.map(({ transitions, text, after }) => {
      const later = after.length === 0 ? "" : ` (as it is now; ${after.join(", ")} may change it before)`;
      return `${transitions.join(", ")}: ${text}${later}`;
    }),
  );

const table = (transitions: readonly DocumentTransition[]): Html =>
  html`<div class="wide">
    <table>
      <tr>
        <th>transition</th>
        <th>what changes</th>
        <th>users notice</th>
        <th>how long</th>
        <th>point of no return</th>
        <th>way back</th>
        <th>a person brings</th>
      </tr>
      ${transitions.map(
        (one) =>
          html`<tr>
            <td><strong>${one.name}</strong></td>
            <td>${changeOf(one)}</td>
            <td>${noticeOf(one)}</td>
            <td>${howLongOf(one).map((line) => html`<div>${line}</div>`)}</td>
            <td>${returnsOf(one)}</td>
            <td>${one.wayBack}</td>
            <td>${needsOf(one)}</td>
          </tr> `,
      )}
    </table>
  </div>`;

function steps({ name, phases }: DocumentTransition): Html {
  const planned = phases.filter((phase) => phase.steps.some((step) => step.planned));
  const rows = planned.map((phase) => {
    const lines = linesOf(phase.steps);
    return html`<tr>
      <td>${phase.name}</td>
      <td>${lines.map(({ hosts }) => html`<div>${hosts.join(", ")}</div>`)}</td>
      <td>
        ${lines.map(({ says, pointOfNoReturn }) => html`<div class="${pointOfNoReturn ? "return" : "step"}">${says}</div>`)}
      </td>
      <td>${phaseTime(phase.steps)}</td>
    </tr> `;
  });
  return html`<h2>${name}: ${counted(planned.length, "phase")}</h2>
    <div class="wide">
      <table>
        <tr>
          <th>phase</th>
          <th>on</th>
          <th>what is so afterwards</th>
          <th>usual time</th>
        </tr>
        ${rows}
      </table>
    </div> `;
}

const style = `
:root { color-scheme: light dark; --line: #d0d7de; --quiet: #57606a; --bad: #b42318; }
@media (prefers-color-scheme: dark) { :root { --line: #3d444d; --quiet: #9198a1; --bad: #ff7b72; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid var(--line); padding: .35rem .6rem; text-align: left; vertical-align: top; }
pre { border: 1px solid var(--line); padding: .6rem; white-space: pre-wrap; }
.refused, .return { color: var(--bad); font-weight: 600; }
footer { color: var(--quiet); margin-top: 2rem; }
@media print { body { max-width: none; margin: 0; font-size: 10pt; } tr { break-inside: avoid; } }
`;
