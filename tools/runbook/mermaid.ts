import { wellFormed } from "../page/html.ts";
import type { DocumentTransition, RunBookDocument } from "./document.ts";

/** More of them are not read, and GitHub draws them slowly. */
const mostNodes = 30;

/**
 * A flowchart as Mermaid: the phases of few transitions, or many transitions with what each waits for. Empty: there is too much of it,
 * or too little.
 */
export function flowchart({ transitions }: RunBookDocument): string[] {
  const phases = transitions.flatMap(plannedPhases);
  if (transitions.length === 0 || (transitions.length > mostNodes && phases.length > mostNodes)) return [];
  const lines = phases.length <= mostNodes ? phaseLines(transitions) : transitionLines(transitions);
  return lines.length < 2
    ? []
    : [
        "flowchart LR",
        ...lines,
        "  classDef noReturn stroke-width:3px,stroke:#b42318",
        "  classDef away stroke-dasharray:5 3",
      ];
}

const plannedPhases = ({ phases }: DocumentTransition) =>
  phases.filter(({ steps }) => steps.some(({ planned, conditional }) => planned && !conditional));

function phaseLines(transitions: readonly DocumentTransition[]): string[] {
  return transitions.flatMap((transition, number) => {
    const phases = plannedPhases(transition);
    const away = awayIn(
      transition,
      phases.map(({ steps }) => steps),
    );
    const nodes = phases.map(({ name, steps }, index) => {
      const hosts = [...new Set(steps.filter(({ planned }) => planned).map(({ host }) => host))];
      const noReturn = steps.some(({ pointOfNoReturn }) => pointOfNoReturn);
      const style = noReturn ? ":::noReturn" : away.has(index) ? ":::away" : "";
      const text = `${name}: ${hosts.length > 3 ? `${String(hosts.length)} hosts` : hosts.join(", ")}`;
      return `    t${String(number)}p${String(index)}["${label(text)}"]${style}`;
    });
    const arrows =
      phases.length < 2
        ? []
        : [`    ${phases.map((_, index) => `t${String(number)}p${String(index)}`).join(" --> ")}`];
    const before = transition.after.flatMap((name) => {
      const at = transitions.findIndex((one) => one.name === name);
      return at < 0 ? [] : [`  t${String(at)} --> t${String(number)}`];
    });
    return [
      `  subgraph t${String(number)}["${label(transition.name)}"]`,
      ...nodes,
      ...arrows,
      "  end",
      ...before,
    ];
  });
}

/** The phases in which users notice something. */
function awayIn(
  { name, users }: DocumentTransition,
  phases: readonly DocumentTransition["phases"][number]["steps"][],
): ReadonlySet<number> {
  if (users === null) return new Set();
  const at = (row: string): number =>
    phases.findIndex((steps) =>
      steps.some((step) => step.name === `${name}-${row}` || step.name === `${name}-${row}-${step.host}`),
    );
  const [first, last] = [at(users.from), users.to === null ? phases.length - 1 : at(users.to)];
  return new Set(
    phases.flatMap((_, index) => (first >= 0 && index >= first && index <= last ? [index] : [])),
  );
}

function transitionLines(transitions: readonly DocumentTransition[]): string[] {
  const at = new Map(transitions.map(({ name }, index) => [name, index]));
  const waits = new Map(transitions.map(({ name, after }) => [name, new Set(after)]));
  return transitions.flatMap(({ name, after, users, pointOfNoReturn }, index) => {
    // Whom another one of them waits for already has its arrow.
    const direct = after.filter((one) => !after.some((other) => waits.get(other)?.has(one)));
    const style = pointOfNoReturn.length > 0 ? ":::noReturn" : users === null ? "" : ":::away";
    return [
      `  t${String(index)}["${label(name)}"]${style}`,
      ...direct.flatMap((one) => (at.has(one) ? [`  t${String(at.get(one))} --> t${String(index)}`] : [])),
    ];
  });
}

/** Letters and the signs of names stay, all else becomes a space: nothing in it is a word of Mermaid. */
const label = (text: string): string =>
  wellFormed(text)
    .replace(/[^\p{L}\p{N} .,:/_-]+/gu, " ")
    .slice(0, 80)
    .replace(/[\ud800-\udbff]$/, "");
