import { pausedWords } from "./decide.ts";
import type { PanicFacts } from "./facts.ts";
import { writersComponent } from "./goal.ts";

/** What the state says of writers. */
export interface PanicExpected {
  /** Units by host. */
  readonly writers?: Readonly<Record<string, readonly string[]>>;
  readonly paused?: { readonly since: string; readonly reason: string };
}

/** Where the writers of a host differ from the state. */
export function writersDiffer(
  name: string,
  host: string,
  facts: PanicFacts,
  expected: PanicExpected,
): string[] {
  if (!Object.hasOwn(expected.writers ?? {}, host)) return [];
  const again = `start again: npx pulumi up --replace '**::${writersComponent(name)}-pause-id'`;
  const { writers: now } = facts;
  if (expected.paused) {
    if (!now)
      return [
        `its writers of ${name} are not paused (expected: paused, ${expected.paused.reason}); ${again}`,
      ];
    return now.running.length > 0
      ? [
          `${now.running.join(", ")} runs although ${name} is paused; stop it: systemctl stop ${now.running.join(" ")}`,
        ]
      : [];
  }
  return now
    ? [
        `${pausedWords(now)} (expected: running); ${now.by.includes("pause") ? again : "npx pulumi up ends the rescue"}`,
      ]
    : [];
}

/** What of a cluster in trouble is told in the line of a host. */
export const panicWords = ({ writers, slow_queries: slow }: PanicFacts): string[] => [
  ...(writers ? [pausedWords(writers)] : []),
  ...(slow ? [`${String(slow)} slow ${slow === 1 ? "search" : "searches"}`] : []),
];

/** What each preview says of a pause: since when, and why. */
export function remarksOfSearch(
  name: string,
  { paused }: { readonly paused?: string },
  before: PanicExpected | undefined,
): string[] {
  if (paused === undefined || before?.paused === undefined) return [];
  return [
    `${name}: its writers are paused since ${before.paused.since}: ${paused}; only the file ends it: npx pulumi config rm --path changeover:searchClusters.${name}.paused`,
  ];
}
