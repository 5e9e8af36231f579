/** A piece of a page that is HTML already. Only `html` and `raw` make one, so text can't be taken for it. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What may stand in a piece: text, which is escaped; pieces, which are not; lists of them. */
export type Part = string | number | Html | undefined | readonly Part[];

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** With a mark for each half of a letter that stands alone: it can't be written as UTF-8. */
export const wellFormed = (text: string): string => Buffer.from(text).toString();

/** Any text in HTML, as the text of an element or the value of an attribute. Characters that no page may have are left out. */
export const htmlText = (text: string): string =>
  wellFormed(text)
    // eslint-disable-next-line no-control-regex -- these are the ones
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "")
    .replace(/[&<>"']/g, (letter) => entities[letter] ?? "");

function shown(part: Part): string {
  if (part === undefined) return "";
  if (part instanceof Html) return part.text;
  if (typeof part === "string" || typeof part === "number") return htmlText(String(part));
  return part.map(shown).join("");
}

/** A piece of a page: whatever is put into it is escaped, unless it is a piece itself. */
export const html = (strings: TemplateStringsArray, ...parts: readonly Part[]): Html =>
  new Html(String.raw({ raw: strings.raw }, ...parts.map(shown)));

/** Text of ours that is HTML or SVG already. */
export const raw = (text: string): Html => new Html(text);
