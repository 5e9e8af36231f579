import { decideEach, type Decision, type Look, type Wanted } from "../../../transition/decide.ts";
import type { SearchFacts } from "../decide.ts";

/** What a host says of a pause of its writers: `known` in `scripts/search/writers.py`. */
export interface PausedFacts {
  /** Who asks for it: pause, rescue; nobody: it was ending, and was stopped half-way. */
  readonly by: readonly string[];
  readonly since: string | null;
  readonly reason: string | null;
  /** Units that ran before, and units that run although they should not. */
  readonly ran: readonly string[];
  readonly running: readonly string[];
}

/** In trouble a host must answer, be free and be this stack's; nothing else is asked of it. */
export function decidePanic(looks: readonly Look<SearchFacts>[], wanted: Wanted): Decision {
  const decision = decideEach(looks, wanted);
  return {
    ...decision,
    notes: [...decision.notes, ...looks.flatMap(({ host, facts }) => pausedNote(host, facts))],
  };
}

function pausedNote(host: string, facts: SearchFacts | undefined): string[] {
  const paused = facts?.writers;
  return paused ? [`${host}: ${pausedWords(paused)}`] : [];
}

/** A pause in words. */
export function pausedWords({ since, reason, by, ran }: PausedFacts): string {
  const which = ran.length === 0 ? "no writer ran" : `${ran.join(", ")} ran`;
  return by.length === 0
    ? `a pause of its writers ended half-way (${which} before)`
    : `its writers are paused since ${since ?? "an unknown time"}: ${reason ?? ""} (${which} before)`;
}
