import {
  decideEach,
  type Decision,
  type Look,
  type RecordFacts,
  type Wanted,
} from "../../../transition/decide.ts";
import type { PanicFacts, PausedFacts } from "./facts.ts";

/** In trouble a host must answer, be free and be this stack's; nothing else is asked of it. */
export function decidePanic(looks: readonly Look<RecordFacts & PanicFacts>[], wanted: Wanted): Decision {
  const decision = decideEach(looks, wanted);
  return {
    ...decision,
    notes: [...decision.notes, ...looks.flatMap(({ host, facts }) => pausedNote(host, facts))],
  };
}

function pausedNote(host: string, facts: PanicFacts | undefined): string[] {
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
