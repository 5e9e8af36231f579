import { isOpen, type Look, type RecordFacts } from "./decide.ts";
import type { OpenTransition } from "./open.ts";

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
  readonly components: Readonly<Record<string, ComponentRecords>>;
}

interface ComponentRecords extends RecordFacts {
  readonly expired: readonly string[];
  /** Temporary changes whose undo has failed, and how often; left out by older releases of the scripts. */
  readonly failing?: Readonly<Record<string, string>>;
}

const nameOf = ({ component, transition }: Pick<Mark, "component" | "transition">): string =>
  `${component}-${transition}`;

const startAgain = (name: string): string => `start it again: npx pulumi up --replace '**::${name}-id'`;

/** The open transitions of a state that these marks are of. */
export function openOf(marks: readonly Mark[], open: readonly OpenTransition[]): OpenTransition[] {
  const names = new Set(marks.map(nameOf));
  return open.filter(({ name }) => names.has(name));
}

/**
 * What is said of transitions that the state has not ended, a line and a cure each. `up` goes on, unless a host that such
 * a transition has claimed belongs to another one by now.
 */
export function openDifferences(
  open: readonly OpenTransition[],
  marks: readonly Mark[],
  looks: readonly Look<MarkFacts>[],
): string[] {
  return open.map((one) => {
    const lost = marks
      .filter((mark) => nameOf(mark) === one.name)
      .flatMap(({ host, component, transition }) => {
        const facts = looks.find((look) => look.host === host)?.facts?.components[component];
        const claim = one.ran.has(`${one.name}-claim-${host}`) ? facts?.claim : undefined;
        if (!claim || [claim.id, claim.paused_id, facts?.done[transition]].includes(one.id)) return [];
        return [`${host} is claimed by ${claim.transition} ${claim.id}`];
      });
    const cure = lost.length > 0 ? startAgain(one.name) : "continue: npx pulumi up";
    return `${[`${one.name} ${one.id} has not ended`, ...lost].join(", ")}; ${cure}`;
  });
}

/**
 * Where machines that answered differ from the marks of the state, a line each; empty: nowhere.
 *
 * @param open what the state itself has not ended, which `openDifferences` speaks of.
 */
export function markDifferences(
  marks: readonly Mark[],
  looks: readonly Look<MarkFacts>[],
  stack: string,
  open: readonly OpenTransition[] = [],
): string[] {
  return looks.flatMap(({ host, facts }) => {
    if (!facts) return [];
    const own = marks.filter((mark) => mark.host === host);
    return [...new Set(own.map(({ component }) => component))].flatMap((component) =>
      ofComponent(
        component,
        own.filter((mark) => mark.component === component),
        facts.components[component],
        { stack, open },
      ).map((line) => `${host}: ${line}`),
    );
  });
}

function ofComponent(
  component: string,
  marks: readonly Mark[],
  facts: MarkFacts["components"][string] | undefined,
  { stack, open }: { readonly stack: string; readonly open: readonly OpenTransition[] },
): string[] {
  const isOpenInState = (transition: string) =>
    open.some(({ name }) => name === nameOf({ component, transition }));
  const claim = isOpen(facts) ? facts?.claim : undefined;
  const begun = claim && !isOpenInState(claim.transition) ? claim : undefined;
  const wrong = marks.filter(
    ({ transition, id }) => facts?.done[transition] !== id && !isOpenInState(transition),
  );
  const lines = wrong.map((mark) => {
    const { transition, id } = mark;
    const has =
      begun?.transition === transition
        ? `began ${begun.id} (epoch ${String(begun.epoch)}), which has not ended`
        : `has ${facts?.done[transition] ?? "none"}`;
    return `${component}: ${transition} ${id} is done in the state; this host ${has}; ${startAgain(nameOf(mark))}`;
  });
  if (!facts) return lines;
  if (facts.stack !== null && facts.stack !== stack)
    lines.push(`${component} is operated by stack ${facts.stack}, not by this one (${stack})`);
  if (begun && !wrong.some(({ transition }) => transition === begun.transition))
    lines.push(
      `${component}: ${begun.transition} ${begun.id} (epoch ${String(begun.epoch)}) is not in the state and has not ended; ${startAgain(nameOf({ component, ...begun }))}`,
    );
  // What another transition has replaced since then holds nothing up.
  const current = [facts.claim?.id, facts.claim?.paused_id];
  for (const expired of facts.expired.filter((id) => current.includes(id)))
    lines.push(`${component}: a temporary change of ${expired} was undone`);
  for (const [name, tries] of Object.entries(facts.failing ?? {}))
    lines.push(
      `${component}: ${name} is not put back after ${tries} tries, one a minute; remove the cause: journalctl -u changeover-undo`,
    );
  return lines;
}
