/** A colour of the picture, and what stands for it where the reader prefers dark pages. */
const palette = {
  ink: ["#1f2328", "#e6edf3"],
  muted: ["#59636e", "#9198a1"],
  paper: ["#ffffff", "#0d1117"],
  lane: ["#f3f5f7", "#161b22"],
  grid: ["#d8dee4", "#30363d"],
  host: ["#0a69da", "#4493f8"],
  elsewhere: ["#8c959f", "#6e7681"],
  away: ["#ffe3e0", "#4a1a1c"],
  alarm: ["#cf2230", "#ff7b72"],
  turn: ["#8250df", "#ab7df8"],
} as const;

/** The colours of a light page. */
export const light = Object.fromEntries(
  Object.entries(palette).map(([name, [colour]]) => [name, colour]),
) as Readonly<Record<keyof typeof palette, string>>;

/** Colours are chosen by the value that they have in a light page: viewers without CSS show the picture too, in light colours. */
export const darkStyle = `<style>@media (prefers-color-scheme: dark) {${Object.values(palette)
  .map(([from, to]) => `.timeline [fill="${from}"]{fill:${to}}.timeline [stroke="${from}"]{stroke:${to}}`)
  .join("")}}</style>`;
