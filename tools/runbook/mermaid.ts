import { wellFormed } from "../page/html.ts";
import type { DocumentTransition, RunBookDocument } from "./document.ts";

/** More of them are not read, and GitHub draws them slowly. */
const mostNodes = 30;

/** Of phases that are read together, so many are named. */
const shownPhases = 5;

/**
 * A flowchart as Mermaid: the phases of few transitions, or many transitions with what each waits for. Empty: there is too much of it,
 * or too little.
 */
export function flowchart({ transitions }: RunBookDocument): string[] {
  const nodes = transitions.map(nodesOf);
  const count = nodes.flat().length + transitions.length;
  if (transitions.length === 0 || (transitions.length > mostNodes && count > mostNodes)) return [];
  const lines = count <= mostNodes ? phaseLines(transitions, nodes) : transitionLines(transitions);
  return lines.length < 2
    ? []
    : [
        "flowchart LR",
        ...lines,
        "  classDef noReturn stroke-width:3px,stroke:#b42318",
        "  classDef away stroke-dasharray:5 3",
      ];
}

/** Phases that are read together, or one that users notice. */
interface Node {
  readonly text: string;
  readonly style: string;
}

/** Each phase that users notice or that has no way back, with its hosts; what is before, between and after them. */
function nodesOf(transition: DocumentTransition): Node[] {
  const phases = transition.phases.filter(({ steps }) =>
    steps.some(({ planned, conditional }) => planned && !conditional),
  );
  const away = awayIn(
    transition,
    phases.map(({ steps }) => steps),
  );
  const nodes: Node[] = [];
  let quiet: string[] = [];
  const close = () => {
    const more = quiet.length - shownPhases;
    const names = more > 1 ? [...quiet.slice(0, shownPhases), `${String(more)} more`] : quiet;
    if (quiet.length > 0) nodes.push({ text: names.join(", "), style: "" });
    quiet = [];
  };
  phases.forEach(({ name, steps }, index) => {
    const noReturn = steps.some(({ pointOfNoReturn }) => pointOfNoReturn);
    if (!noReturn && !away.has(index)) {
      quiet.push(name);
      return;
    }
    close();
    const hosts = [...new Set(steps.filter(({ planned }) => planned).map(({ host }) => host))];
    const where = hosts.length > 3 ? `${String(hosts.length)} hosts` : hosts.join(", ");
    nodes.push({ text: `${name}: ${where}`, style: noReturn ? ":::noReturn" : ":::away" });
  });
  close();
  return nodes;
}

/** Each transition begins with its name, and after those that it waits for. */
function phaseLines(
  transitions: readonly DocumentTransition[],
  nodes: readonly (readonly Node[])[],
): string[] {
  return transitions.flatMap(({ name, after }, number) => {
    const own = nodes[number] ?? [];
    const ids = own.map((_, index) => `t${String(number)}p${String(index)}`);
    const before = after.map((one) => transitions.findIndex((other) => other.name === one));
    return [
      `  t${String(number)}(["${label(name)}"])`,
      ...own.map(({ text, style }, index) => `  ${ids[index] ?? ""}["${label(text)}"]${style}`),
      `  ${[`t${String(number)}`, ...ids].join(" --> ")}`,
      ...before.flatMap((at) => {
        const last = (nodes[at]?.length ?? 0) - 1;
        return at < 0 ? [] : [`  t${String(at)}${last < 0 ? "" : `p${String(last)}`} --> t${String(number)}`];
      }),
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
