import { hostname, userInfo } from "node:os";
import type { Decision, Look } from "../../transition/decide.ts";
import { counted } from "../../transition/run-book.ts";
import { decide } from "../../transition/run/order.ts";
import { ask, type Said } from "./ask.ts";
import { askedBy, readOrder } from "./asked.ts";
import type { Booked } from "./books.ts";
import type { Facts, Refusal } from "./document.ts";

/** What the planned looks of an update find now. */
export interface Live {
  readonly facts: Facts;
  readonly refusals: readonly Refusal[];
  /** Hosts that gave no answer. */
  readonly unanswered: readonly string[];
  /** Something stands against it that another run would not find gone. */
  readonly refused: boolean;
}

/** What one look finds. */
export interface Found {
  readonly refusals: readonly Refusal[];
  /** What is so, for people. */
  readonly lines: readonly string[];
  readonly asked: readonly string[];
  readonly unanswered: readonly string[];
  /** Texts of refusals that say only that a host gave no answer. */
  readonly silences: readonly string[];
}

/** Who looks, and where. */
export const looker = (): string => `${userInfo().username}@${hostname()}`;

/**
 * Run the planned looks of an update now, read-only and all at once. What a transition of the same update changes first is told
 * with it, and refuses nothing.
 *
 * @param more looks of another kind, already begun.
 */
export async function lookNow(books: readonly Booked[], more: readonly Promise<Found>[] = []): Promise<Live> {
  const at = new Date();
  const found = await Promise.all([...books.map(findingsOf), ...more]);
  const of = <Key extends "asked" | "unanswered" | "silences" | "lines">(key: Key): string[] => [
    ...new Set(found.flatMap((one) => one[key])),
  ];
  const refusals = found.flatMap((one) => one.refusals);
  const silences = of("silences");
  const seconds = ((Date.now() - at.getTime()) / 1000).toFixed(1);
  return {
    facts: {
      source: "live",
      at: at.toISOString(),
      by: looker(),
      says: `${looker()} looked at ${counted(of("asked").length, "host")} for this, read-only, in ${seconds} s`,
      lines: of("lines"),
    },
    refusals,
    unanswered: of("unanswered"),
    refused: refusals.some(({ text, after }) => after.length === 0 && !silences.includes(text)),
  };
}

/** What the look before one transition finds. */
async function findingsOf({ book, look, after }: Booked): Promise<Found> {
  const nobody = (why: string): Found => ({
    ...{ refusals: [], asked: [], unanswered: [], silences: [] },
    lines: [`${book.name}: ${why}`],
  });
  if (book.name === "absent" || look?.refused !== undefined) return { ...nobody(""), lines: [] };
  if (!look) return nobody("its look was passed before, and the update does not repeat it");
  if (look.order === undefined) return nobody("this update makes its hosts, so nothing can be asked yet");
  const order = readOrder(look.order);
  const said: Said<never>[] = [];
  // All of them are read before the first host is dialled.
  order.looks.forEach(askedBy);
  const { decision } = await decide(order, async (one): Promise<Look<never>> => {
    const answer = await ask<never>(askedBy(one));
    said.push(answer);
    return answer.look;
  });
  return foundIn(book.name, decision, said, after);
}

function foundIn(
  transition: string,
  { refusals, notes }: Decision,
  said: readonly Said<never>[],
  after: readonly string[],
): Found {
  const silent = said.filter(({ result }) => result.noAnswer).map(({ look }) => look);
  const sent = said.filter((one) => one.sent).map(({ look }) => look.host);
  return {
    refusals: refusals.map((text) => ({ transitions: [transition], text, after: [...after] })),
    lines: [...notes, ...(sent.length > 0 ? [sentTo(sent)] : [])].map((line) => `${transition}: ${line}`),
    asked: said.map(({ look }) => look.host),
    unanswered: silent.map(({ host }) => host),
    silences: silent.map(({ host, failure }) => `${host}: ${failure ?? ""}`),
  };
}

/** What is said of hosts that got the scripts for the look. */
export const sentTo = (hosts: readonly string[]): string =>
  `${hosts.join(", ")} ${hosts.length === 1 ? "does" : "do"} not have the scripts of this preview yet; they were sent along for the look, and removed`;
