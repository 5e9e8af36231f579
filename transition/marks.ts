import { isOpen, type Look, type RecordFacts } from "./decide.ts";

/** A transition that the state says is done on a host. */
export interface Mark {
  readonly host: string;
  readonly component: string;
  readonly transition: string;
  readonly id: string;
}

/** What a machine says of its records: `scripts/marks.py`. */
export interface MarkFacts {
  readonly now_ms: number;
  readonly components: Readonly<Record<string, RecordFacts & { readonly expired: readonly string[] }>>;
}

/** Where machines that answered differ from the marks of the state, a line each; empty: nowhere. */
export function markDifferences(
  marks: readonly Mark[],
  looks: readonly Look<MarkFacts>[],
  stack: string,
): string[] {
  return looks.flatMap(({ host, facts }) => {
    if (!facts) return [];
    const own = marks.filter((mark) => mark.host === host);
    return own.flatMap((mark) =>
      ofMark(mark, facts.components[mark.component], stack).map((line) => `${host}: ${line}`),
    );
  });
}

function ofMark(
  { component, transition, id }: Mark,
  facts: MarkFacts["components"][string] | undefined,
  stack: string,
): string[] {
  const again = `start it again: npx pulumi up --replace '**::${component}-${transition}-id'`;
  const done = facts?.done[transition];
  const lines: string[] = [];
  if (done !== id)
    lines.push(
      `${component}: ${transition} ${id} is done in the state; this host has ${done ?? "none"}; ${again}`,
    );
  if (!facts) return lines;
  if (facts.stack !== null && facts.stack !== stack)
    lines.push(`${component} is operated by stack ${facts.stack}, not by this one (${stack})`);
  if (isOpen(facts) && facts.claim)
    lines.push(
      `${component}: ${facts.claim.transition} ${facts.claim.id} was started (epoch ${String(facts.claim.epoch)}) and has not ended`,
    );
  for (const expired of facts.expired)
    lines.push(`${component}: a temporary change of ${expired} was undone`);
  return lines;
}
