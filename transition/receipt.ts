/**
 * A receipt is the one line that a step leaves: `<component> <prose> <seconds> | key=value key=value`. People read the prose, and it
 * may be reworded; programs read the tail after the last ` | ` and nothing else. Every tail ends with `began` and `took`: when the
 * script began, by the clock of its own host, in UTC with milliseconds, and the seconds that it took. A key is of a-z and _. In a
 * value all but A-Z a-z 0-9 . _ : / + , @ ~ - stands as %XX, byte by byte, so it is one word and no shell finds anything in it.
 * `scripts/lib.sh` writes and reads the same. Receipts of older releases in the state may have no tail, or one without times.
 */
export type Tail = Readonly<Record<string, string>>;

const value = "(?:[A-Za-z0-9._:/+,@~-]|%[0-9A-F]{2})*";
const tail = new RegExp(String.raw` \|((?: [a-z_]+=${value})+)\s*$`);

/** What a receipt says to programs; empty when it says nothing to them, whatever its prose is. */
export function tailOf(receipt: string | undefined): Tail {
  const words =
    tail
      .exec(receipt ?? "")?.[1]
      ?.trim()
      .split(" ") ?? [];
  return Object.fromEntries(
    words.map((word): [string, string] => {
      const at = word.indexOf("=");
      return [word.slice(0, at), decoded(word.slice(at + 1))];
    }),
  );
}

/** When a script or program ran, by the clock of its own machine. */
export interface Times {
  readonly began: Date;
  readonly seconds: number;
}

/**
 * The receipt of what no script on a host did.
 *
 * @param times undefined: nobody knows when it was, as for what a platform did. @param said what other programs read of it.
 */
export function receiptLine(prose: string, times: Times | undefined, said: Tail = {}): string {
  if (!times) return withPairs(prose, said);
  const { began, seconds } = times;
  const tail = { ...said, began: began.toISOString(), took: seconds.toFixed(3) };
  return withPairs(`${prose} ${seconds.toFixed(2)}`, tail);
}

/** A program's own run, from now on: call what is returned when it is over. The time is taken by a clock that never steps. */
export function running(): () => Times {
  const [began, started] = [new Date(), performance.now()];
  return () => ({ began, seconds: (performance.now() - started) / 1000 });
}

/** When the script of a receipt ran; undefined: a release wrote it that said no times, or it says something else. */
export function timesOf(receipt: string | undefined): Times | undefined {
  const { began, took } = tailOf(receipt);
  const at = new Date(began ?? NaN);
  const seconds = Number(took ?? NaN);
  return Number.isNaN(at.getTime()) || !(seconds >= 0) ? undefined : { began: at, seconds };
}

/** The epoch that a transition claims, from the receipt of its preflight or of a fence; empty when it says none. */
export const epochOf = (receipt: string | undefined): string => tailOf(receipt).epoch ?? "";

/** What was seen to be bad, from the receipt of a row with a verdict; undefined: all was good, or it did not run. */
export function badOf(receipt: string | undefined): string | undefined {
  const { verdict, why } = tailOf(receipt);
  return verdict === "bad" ? (why ?? "it does not say why") : undefined;
}

/** A receipt that the state kept, for programs: one of an older release gets the tail that its prose stood for. */
export function withTail(receipt: string): string {
  return Object.keys(tailOf(receipt)).length > 0 ? receipt : withPairs(receipt, legacyTailOf(receipt));
}

/**
 * What the prose of a receipt without a tail meant to programs, when it was all they had. No step runs again only because there is a
 * new release, so such receipts stay in the state: of a transition that is half done, and of one that is complete
 * for as long as its goal is. This may go with the first release that refuses a state from before the tail. Whatever these
 * rows write today has a tail, so their words are free.
 */
export function legacyTailOf(receipt: string): Tail {
  const found = (pattern: RegExp) => pattern.exec(receipt)?.[1];
  const why = found(/ bad: (.+?)(?: \d+\.\d\d)?\s*$/s);
  const green = / (\S+) is green since (\S+Z)(?: \d+\.\d\d)?\s*$/.exec(receipt);
  const pairs = {
    epoch: found(/ epoch (\d+)\s*$/),
    serving: found(/(\S+) accepts the writes already/),
    backup: found(/ backup (\d{8}T\d{6}) /),
    ...(receipt.includes(" has no database of ") ? { database: "none" } : {}),
    ...(green ? { version: green[1], since: green[2] } : {}),
    ...(why === undefined ? {} : { verdict: "bad", why }),
  };
  return Object.fromEntries(
    Object.entries(pairs).filter((pair): pair is [string, string] => Boolean(pair[1])),
  );
}

function withPairs(receipt: string, pairs: Tail): string {
  const words = Object.entries(pairs).map(([key, text]) => `${key}=${encoded(text)}`);
  return [receipt, ...(words.length > 0 ? ["|", ...words] : [])].join(" ");
}

const encoded = (text: string): string =>
  [...Buffer.from(text)]
    .map((byte) => {
      const letter = String.fromCharCode(byte);
      return /[A-Za-z0-9._:/+,@~-]/.test(letter)
        ? letter
        : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    })
    .join("");

/** Bytes that are no UTF-8 become marks, not an error: a verdict must not be lost for one. */
const decoded = (word: string): string =>
  Buffer.from(
    word.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
    "latin1",
  ).toString();
