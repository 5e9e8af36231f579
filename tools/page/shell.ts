import { type Html, html, raw } from "./html.ts";

/** Colours first: a reader's light or dark page, and paper. Phones scroll wide tables and pictures, not the page. */
const style = `
:root { color-scheme: light dark; --ink: #1f2328; --muted: #59636e; --paper: #fff; --box: #f3f5f7; --line: #d8dee4; --good: #1a7f37; --bad: #cf2230; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --muted: #9198a1; --paper: #0d1117; --box: #161b22; --line: #30363d; --good: #3fb950; --bad: #ff7b72; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 70rem; padding: 1.5rem; color: var(--ink); background: var(--paper); font: 15px/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.6rem; }
h2 { margin: 2rem 0 0.5rem; padding-bottom: 0.25rem; border-bottom: 1px solid var(--line); font-size: 1.2rem; }
h3 { margin: 1.25rem 0 0.25rem; font-size: 1rem; }
p { margin: 0.4rem 0; }
ul { margin: 0.4rem 0; padding-left: 1.25rem; }
code { padding: 0.1rem 0.3rem; border-radius: 4px; background: var(--box); font: 0.9em ui-monospace, monospace; display: inline-block; max-width: 100%; overflow-wrap: anywhere; }
.muted { color: var(--muted); }
.good { color: var(--good); }
.bad { color: var(--bad); font-weight: 600; }
.box { margin: 0.75rem 0; padding: 0.6rem 0.9rem; border: 1px solid var(--line); border-left: 4px solid var(--bad); border-radius: 6px; background: var(--box); }
.box.good { border-left-color: var(--good); color: inherit; }
.wide { margin: 0.5rem 0; overflow-x: auto; }
.wide svg { display: block; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: 0.35rem 0.75rem 0.35rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { color: var(--muted); font-weight: 600; }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.name { white-space: nowrap; font-weight: 600; }
@media (max-width: 40rem) { body { padding: 0.9rem; } h1 { font-size: 1.3rem; } }
@media print {
  body { max-width: none; padding: 0; font-size: 11px; }
  h2, h3 { break-after: avoid; }
  tr, .box, svg { break-inside: avoid; }
  .wide { overflow: visible; }
  .wide svg { max-width: 100%; height: auto; }
}
`;

/** A page that needs nothing besides itself: no script, no font, no picture of another place, and browsers are told to fetch none. */
export const pageOf = (title: string, body: Html): string =>
  html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"
        />
        <title>${title}</title>
        <link rel="icon" href="data:," />
        <style>
          ${raw(style)}
        </style>
      </head>
      <body>
        ${body}
      </body>
    </html> `.text;
